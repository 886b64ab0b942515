{{ config(meta={'dated_by': ['home_date']}) }}
with

-- Within one millisecond a chat opens, its conversations start, run and end, and it closes.
actionbot_events as (

    select
        *,
        case event
            when 'Chat Opened' then 0
            when 'End User Engaged' then 1
            when 'Conversation Search' then 2
            when 'Conversation Started' then 3
            when 'Conversation Node Served' then 4
            when 'Conversation Question Answered' then 5
            when 'Conversation Action Triggered' then 6
            when 'Conversation Ended' then 7
            when 'Chat Closed' then 8
        end as event_order,
        item_type in ('ActionBot Conversation', 'ActionBot Node') as is_of_conversation,
        -- A conversation without an id is known by its name; a node has it as its parent.
        case item_type
            when 'ActionBot Conversation' then coalesce(item_id, item_name)
            when 'ActionBot Node' then coalesce(parent_item_id, parent_item_name)
        end as conversation
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type in ('ActionBot', 'ActionBot Conversation', 'ActionBot Node')

),

-- What follows an end without a new start is outside, and numbered like a chat or conversation.
with_beginnings as (

    select
        *,
        event = 'Chat Opened'
        or coalesce(
            lag(event) over (
                partition by system_id, environment, session_id
                order by occurred_at, event_order, event_key
            ) = 'Chat Closed',
            true
        ) as is_chat_beginning,
        event = 'Conversation Started'
        or coalesce(
            lag(event) over (
                partition by
                    system_id, environment, session_id, is_of_conversation, conversation
                order by occurred_at, event_order, event_key
            ) = 'Conversation Ended',
            true
        ) as is_conversation_beginning
    from actionbot_events

),

numbered as (

    select
        *,
        sum(case when is_chat_beginning then 1 else 0 end) over (
            partition by system_id, environment, session_id
            order by occurred_at, event_order, event_key
            rows between unbounded preceding and current row
        ) as chat_number,
        sum(case when is_conversation_beginning then 1 else 0 end) over (
            partition by system_id, environment, session_id, is_of_conversation, conversation
            order by occurred_at, event_order, event_key
            rows between unbounded preceding and current row
        ) as conversation_number
    from with_beginnings

),

final as (

    select
        ---------- event
        event_key,
        occurred_at,
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
        parent_item_id,
        parent_item_name,

        ---------- chat
        cast(chat_number as integer) as chat_number,
        count(case when event = 'Chat Opened' then 1 end) over (
            partition by system_id, environment, session_id, chat_number
        ) > 0 as is_in_chat,

        ---------- conversation
        is_of_conversation,
        conversation,
        case when is_of_conversation then cast(conversation_number as integer) end
            as conversation_number,
        count(case when event = 'Conversation Started' then 1 end) over (
            partition by
                system_id,
                environment,
                session_id,
                is_of_conversation,
                conversation,
                conversation_number
        ) > 0 as is_in_conversation
    from numbered

)

select * from final
