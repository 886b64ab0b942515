with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where {{ is_stale('event_date') }}

),

event_keys as (

    select
        event_key,
        min(event_date) as event_date,
        count(*) as events
    from item_events
    group by event_key

),

-- Few keys come twice, so that only of these few it is asked whose they are.
repeated_keys as (

    select
        event_key,
        min(system_id) as system_id,
        min(session_id) as session_id,
        min(item_id) as item_id
    from item_events
    where
        event_key in (
            select event_keys.event_key
            from event_keys
            where event_keys.events > 1
        )
    group by event_key

),

looked_at as (

    select
        event_keys.event_date,
        repeated_keys.system_id,
        repeated_keys.session_id,
        repeated_keys.item_id,
        event_keys.event_key,
        event_keys.events || ' events have this key' as detail,
        event_keys.events > 1 or event_keys.event_key is null as is_violation
    from event_keys
    left join repeated_keys
        on event_keys.event_key = repeated_keys.event_key

)

{{ invariant_result('event_key_is_unique', looked_at='looked_at') }}
