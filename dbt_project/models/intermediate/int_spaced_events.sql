with

item_events as (

    select * from {{ ref('fct_item_events') }}

),

event_definitions as (

    select * from {{ ref('event_definitions') }}

),

capped_events as (

    select
        item_events.event_key,
        item_events.occurred_at,
        item_events.event_date,
        item_events.system_id,
        item_events.environment,
        item_events.session_id,
        item_events.end_user_id,
        item_events.item_type,
        item_events.event,
        item_events.item_id,
        item_events.item_name,
        {{ cap_hours('event_definitions.capped_per') }} as cap_hours
    from item_events
    inner join event_definitions
        on
            item_events.item_type = event_definitions.item_type
            and item_events.event = event_definitions.event
    where {{ cap_hours('event_definitions.capped_per') }} is not null

),

compared as (

    select
        *,
        {{ epoch_ms('occurred_at') }} - lag({{ epoch_ms('occurred_at') }}) over (
            partition by item_type, event, system_id, environment, end_user_id
            order by occurred_at, event_key
        ) as ms_since_previous
    from capped_events

),

judged as (

    select
        event_key,
        occurred_at,
        event_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_type,
        event,
        item_id,
        item_name,
        coalesce(ms_since_previous < cap_hours * 3600000, false) as is_beyond_cap,
        'user ' || end_user_id || ', '
        || {{ ms_to_seconds('ms_since_previous') }} || ' s after the one before' as detail
    from compared

)

select * from judged
