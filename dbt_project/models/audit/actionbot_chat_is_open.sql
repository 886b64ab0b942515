with

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        event || ' at ' || occurred_at || ', while no chat was open' as detail,
        not is_in_chat as is_violation
    from {{ ref('int_actionbot_events') }}
    where
        {{ is_stale('home_date') }}
        and event not in ('Chat Opened', 'Chat Closed')

)

{{ invariant_result('actionbot_chat_is_open', looked_at='looked_at') }}
