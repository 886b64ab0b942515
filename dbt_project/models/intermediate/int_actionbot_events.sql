{{ config(meta={'dated_by': ['home_date']}) }}
{% set conversation = [
    'system_id',
    'environment',
    'session_id',
    'is_of_conversation',
    'conversation_id',
    'conversation_name_without_id',
] -%}
with

-- A node has its conversation as its parent.
actionbot_events as (

    select
        *,
        item_type in ('ActionBot Conversation', 'ActionBot Node') as is_of_conversation,
        case item_type
            when 'ActionBot Conversation' then item_id
            when 'ActionBot Node' then parent_item_id
        end as conversation_id,
        case item_type
            when 'ActionBot Conversation' then item_name
            when 'ActionBot Node' then parent_item_name
        end as conversation_name
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type in ('ActionBot', 'ActionBot Conversation', 'ActionBot Node')

),

with_conversations as (

    select
        *,
        {{ name_without_id('conversation_id', 'conversation_name') }}
            as conversation_name_without_id
    from actionbot_events

),

-- What follows an end without a new start is outside, and numbered like a chat or conversation.
with_beginnings as (

    select
        *,
        event = 'Chat Opened'
        or coalesce(
            lag(event) over (
                partition by system_id, environment, session_id
                order by {{ in_event_order() }}
            ) = 'Chat Closed',
            true
        ) as is_chat_beginning,
        event = 'Conversation Started'
        or coalesce(
            lag(event) over (
                partition by {{ conversation | join(', ') }}
                order by {{ in_event_order() }}
            ) = 'Conversation Ended',
            true
        ) as is_conversation_beginning
    from with_conversations

),

numbered as (

    select
        *,
        sum(case when is_chat_beginning then 1 else 0 end) over (
            partition by system_id, environment, session_id
            order by {{ in_event_order() }}
            rows between unbounded preceding and current row
        ) as chat_number,
        sum(case when is_conversation_beginning then 1 else 0 end) over (
            partition by {{ conversation | join(', ') }}
            order by {{ in_event_order() }}
            rows between unbounded preceding and current row
        ) as conversation_number
    from with_beginnings

),

final as (

    select
        ---------- event
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
        parent_item_id,
        parent_item_name,

        ---------- chat
        cast(chat_number as integer) as chat_number,
        count(case when event = 'Chat Opened' then 1 end) over (
            partition by system_id, environment, session_id, chat_number
        ) > 0 as is_in_chat,

        ---------- conversation
        is_of_conversation,
        conversation_id,
        conversation_name,
        conversation_name_without_id,
        case when is_of_conversation then cast(conversation_number as integer) end
            as conversation_number,
        count(case when event = 'Conversation Started' then 1 end) over (
            partition by {{ conversation | join(', ') }}, conversation_number
        ) > 0 as is_in_conversation
    from numbered

)

select * from final
