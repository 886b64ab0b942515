{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

actionbot_events as (

    select
        *,
        case item_type
            when 'ActionBot' then item_id
            when 'ActionBot Conversation' then parent_item_id
        end as bot_id,
        case item_type
            when 'ActionBot' then item_name
            when 'ActionBot Conversation' then parent_item_name
        end as bot_name
    from {{ ref('int_actionbot_events') }}
    where {{ is_stale('home_date') }}

),

sessions as (

    select * from {{ ref('fct_sessions') }}
    where {{ is_stale('home_date') }}

),

chats as (

    select
        system_id,
        environment,
        session_id,
        chat_number,
        {{ latest('end_user_id') }} as end_user_id,
        {{ latest('bot_id') }} as item_id,
        {{ latest('bot_name') }} as item_name,
        min(home_date) as home_date,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        min(case when event = 'Chat Opened' then occurred_at end) as opened_at,
        max(case when event = 'Chat Closed' then occurred_at end) as closed_at,
        count(*) filter (where event = 'End User Engaged') as messages,
        count(*) filter (where event = 'Conversation Search') as searches,
        count(*) filter (where event = 'Conversation Started') as conversations_started,
        count(*) filter (where event = 'Conversation Ended') as conversations_ended,
        count(*) filter (where event = 'Conversation Question Answered') as questions_answered,
        count(*) filter (where event = 'Conversation Action Triggered') as actions_triggered,
        count(*) filter (where event = 'Conversation Node Served') as nodes_served,
        count(*) as events
    from actionbot_events
    group by system_id, environment, session_id, chat_number

),

-- What comes after a chat that was not closed is the next Chat Opened.
with_next_chats as (

    select
        *,
        lead(opened_at) over (
            partition by system_id, environment, session_id
            order by chat_number
        ) as next_opened_at
    from chats

),

with_ends as (

    select
        with_next_chats.*,
        case
            when with_next_chats.opened_at is not null
                then
                    coalesce(
                        with_next_chats.closed_at,
                        with_next_chats.next_opened_at,
                        sessions.ended_at
                    )
        end as ended_at
    from with_next_chats
    left join sessions
        on
            with_next_chats.system_id = sessions.system_id
            and with_next_chats.environment = sessions.environment
            and with_next_chats.session_id = sessions.session_id

),

final as (

    select
        ---------- chat
        md5({{ key_text(['system_id', 'environment', 'session_id', 'chat_number']) }})
            as chat_key,
        system_id,
        environment,
        session_id,
        end_user_id,
        chat_number,
        item_id,
        item_name,

        ---------- times
        home_date,
        cast(first_event_at as date) as event_date,
        first_event_at,
        last_event_at,
        opened_at,
        closed_at,
        ended_at,
        {{ ms_to_seconds(epoch_ms('ended_at') ~ ' - ' ~ epoch_ms('opened_at')) }}
            as duration_seconds,

        ---------- what happened
        opened_at is not null as is_opened,
        closed_at is not null as is_closed,
        messages > 0 as is_engaged,
        messages,
        searches,
        conversations_started,
        conversations_ended,
        nodes_served,
        questions_answered,
        actions_triggered,
        events
    from with_ends

)

select * from final
