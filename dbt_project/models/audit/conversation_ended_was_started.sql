with

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        'no Conversation Started of this conversation in the session that it could end' as detail,
        not is_in_conversation as is_violation
    from {{ ref('int_actionbot_events') }}
    where
        {{ is_stale('home_date') }}
        and event = 'Conversation Ended'

)

{{ invariant_result('conversation_ended_was_started', looked_at='looked_at') }}
