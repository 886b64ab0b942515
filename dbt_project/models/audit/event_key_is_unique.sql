{{ config(meta={'dated_by': ['event_date']}) }}
with

event_keys as (

    select
        event_key,
        min(event_date) as event_date,
        min(system_id) as system_id,
        min(session_id) as session_id,
        min(item_id) as item_id,
        count(*) as events
    from {{ ref('fct_item_events') }}
    where {{ is_stale('event_date') }}
    group by event_key

),

looked_at as (

    select
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        events || ' events have this key' as detail,
        events > 1 or event_key is null as is_violation
    from event_keys

)

{{ invariant_result('event_key_is_unique', looked_at='looked_at', dated_by='event_date') }}
