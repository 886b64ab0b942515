{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

conversation_events as (

    select * from {{ ref('int_actionbot_events') }}
    where
        {{ is_stale('home_date') }}
        and is_of_conversation

),

conversations as (

    select
        system_id,
        environment,
        session_id,
        conversation_id as item_id,
        conversation_name_without_id,
        conversation_number,
        min(chat_number) as chat_number,
        {{ latest('end_user_id') }} as end_user_id,
        {{ latest('conversation_name') }} as item_name,
        min(home_date) as home_date,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        min(case when event = 'Conversation Started' then occurred_at end) as started_at,
        max(case when event = 'Conversation Ended' then occurred_at end) as ended_at,
        count(*) filter (where event = 'Conversation Node Served') as nodes_served,
        count(*) filter (where event = 'Conversation Question Answered') as questions_answered,
        count(*) filter (where event = 'Conversation Action Triggered') as actions_triggered,
        count(*) as events
    from conversation_events
    group by
        system_id,
        environment,
        session_id,
        conversation_id,
        conversation_name_without_id,
        conversation_number

),

{% set chat = ['system_id', 'environment', 'session_id', 'chat_number'] -%}
{% set grain = session_item_key('conversation_name_without_id') + ['conversation_number'] -%}
final as (

    select
        ---------- conversation
        md5({{ key_text(grain) }}) as conversation_key,
        md5({{ key_text(chat) }}) as chat_key,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_id,
        item_name,
        conversation_number,

        ---------- times
        home_date,
        cast(first_event_at as date) as event_date,
        first_event_at,
        last_event_at,
        started_at,
        ended_at,
        {{ ms_to_seconds(epoch_ms('last_event_at') ~ ' - ' ~ epoch_ms('started_at')) }}
            as duration_seconds,

        ---------- what happened
        started_at is not null as is_started,
        ended_at is not null as is_ended,
        nodes_served,
        questions_answered,
        actions_triggered,
        events
    from conversations

)

select * from final
