{{ config(meta={'dated_by': ['home_date']}) }}
{% set item_in_session = [
    'item_type',
    'event',
    'system_id',
    'environment',
    'session_id',
    'item',
] -%}
{% set of_event = [
    'event_key',
    'occurred_at',
    'order_in_ms',
    'dump_date',
    'source_file',
    'source_row',
    'event_date',
    'system_id',
    'environment',
    'session_id',
    'end_user_id',
    'item_id',
    'item_name',
] -%}
with

item_events as (

    select
        *,
        coalesce('id=' || item_id, 'name=' || item_name) as item
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
        item_events.item,
        event_definitions.capped_per,
        {{ cap_hours('event_definitions.capped_per') }} as cap_hours
    from item_events
    inner join event_definitions
        on
            item_events.item_type = event_definitions.item_type
            and item_events.event = event_definitions.event
    where event_definitions.capped_per is not null

),

capped_per_session as {{ read_anew() }} (

    select * from capped_events
    where capped_per = 'session'

),

-- Few of them come twice, so that only these few are ranked. Of events that name no item at all,
-- nobody can say that they are of the same one.
repeated as (

    select {{ item_in_session | join(', ') }}
    from capped_per_session
    where item is not null
    group by {{ item_in_session | join(', ') }}
    having count(*) > 1

),

ranked as (

    select
        *,
        row_number() over (
            partition by {{ item_in_session | join(', ') }}
            order by {{ in_event_order() }}
        ) as number_in_session
    from capped_per_session
    where
        exists (
            select 1
            from repeated
            where
                capped_per_session.item_type = repeated.item_type
                and capped_per_session.event = repeated.event
                and capped_per_session.system_id = repeated.system_id
                and capped_per_session.environment = repeated.environment
                and capped_per_session.session_id = repeated.session_id
                and capped_per_session.item = repeated.item
        )

),

counts as (

    select
        home_date,
        item_type,
        event,
        capped_per,
        count(*) as events
    from capped_per_session
    group by home_date, item_type, event, capped_per

    union all

    select
        home_date,
        item_type,
        event,
        capped_per,
        -1 * count(*) as events
    from ranked
    where number_in_session > 1
    group by home_date, item_type, event, capped_per

),

within_cap as (

    select
        home_date,
        item_type,
        event,
        capped_per,
        cast(sum(events) as bigint) as events
    from counts
    group by home_date, item_type, event, capped_per

),

judged as (

    select
        {{ of_event | join(', ') }},
        home_date,
        item_type,
        event,
        capped_per,
        cap_hours,
        true as is_beyond_cap,
        'number ' || number_in_session || ' in the session' as detail,
        1 as events
    from ranked
    where number_in_session > 1

    union all

    select
        {{ of_event | join(', ') }},
        home_date,
        item_type,
        event,
        capped_per,
        cap_hours,
        cast(null as boolean) as is_beyond_cap,
        cast(null as string) as detail,
        1 as events
    from capped_events
    where capped_per <> 'session'

    union all

    select
        {% for column in of_event -%}
        null as {{ column }},
        {% endfor -%}
        home_date,
        item_type,
        event,
        capped_per,
        null as cap_hours,
        false as is_beyond_cap,
        null as detail,
        events
    from within_cap

)

select * from judged
