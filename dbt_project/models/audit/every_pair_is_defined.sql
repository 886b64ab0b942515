with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where {{ is_stale('event_date') }}

),

event_definitions as (

    select * from {{ ref('event_definitions') }}

),

looked_at as (

    select
        item_events.event_date,
        item_events.system_id,
        item_events.session_id,
        item_events.item_id,
        item_events.event_key,
        coalesce(item_events.item_type, 'null') || ': ' || coalesce(item_events.event, 'null')
            as detail,
        event_definitions.event is null as is_violation
    from item_events
    left join event_definitions
        on
            item_events.item_type = event_definitions.item_type
            and item_events.event = event_definitions.event

)

{{ invariant_result('every_pair_is_defined', looked_at='looked_at') }}
