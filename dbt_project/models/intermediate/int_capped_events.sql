{{ config(meta={'dated_by': ['home_date']}) }}
with

item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_item_events') }}
    where {{ is_stale('home_date') }}

),

event_definitions as (

    select * from {{ ref('event_definitions') }}

),

capped_events as (

    select
        item_events.event_key,
        item_events.occurred_at,
        item_events.order_in_ms,
        item_events.dump_date,
        item_events.source_file,
        item_events.source_row,
        item_events.event_date,
        item_events.home_date,
        item_events.system_id,
        item_events.environment,
        item_events.session_id,
        item_events.end_user_id,
        item_events.item_type,
        item_events.event,
        item_events.item_id,
        item_events.item_name,
        item_events.item_name_without_id,
        event_definitions.capped_per,
        {{ cap_hours('event_definitions.capped_per') }} as cap_hours
    from item_events
    inner join event_definitions
        on
            item_events.item_type = event_definitions.item_type
            and item_events.event = event_definitions.event
    where event_definitions.capped_per is not null

),

-- Of events that name no item at all, nobody can say that they are of the same one.
compared as (

    select
        *,
        row_number() over (
            partition by
                item_type,
                event,
                system_id,
                environment,
                session_id,
                item_id,
                item_name_without_id
            order by {{ in_event_order() }}
        ) as number_in_session
    from capped_events

),

judged as (

    select
        event_key,
        occurred_at,
        order_in_ms,
        dump_date,
        source_file,
        source_row,
        event_date,
        home_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_type,
        event,
        item_id,
        item_name,
        capped_per,
        cap_hours,
        case
            when capped_per = 'session'
                then number_in_session > 1 and coalesce(item_id, item_name) is not null
        end as is_beyond_cap,
        'number ' || number_in_session || ' in the session' as detail
    from compared

)

select * from judged
