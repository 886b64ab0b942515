{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

chats_of_days as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('first_event_at') }} as report_date,
        {{ epoch_ms('ended_at') }} - {{ epoch_ms('opened_at') }} as duration_ms
    from {{ ref('fct_actionbot_chats') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

chats as (

    {{ with_people('chats_of_days', 'people_of_days') }}

),

conversations_of_chats as (

    select
        chat_key,
        count(*) as conversations,
        count(*) filter (where is_ended) as conversations_ended
    from {{ ref('fct_actionbot_conversations') }}
    where environment = 'production' and is_started
    group by chat_key

),

items as (

    select * from {{ ref('dim_items') }}

),

-- A chat that nobody opened is none, but what happened in it did happen.
totals as (

    select
        chats.report_date,
        {{
            item_key(
                "'ActionBot'", 'chats.item_id', 'chats.item_name_without_id', 'chats.system_id'
            )
        }} as item_key,
        chats.system_id,
        chats.item_id,
        max(chats.item_name) as name_in_events,
        count(*) filter (where chats.is_opened) as chats,
        count(distinct chats.end_user_id) filter (where chats.is_opened) as end_users,
        {{ count_people('chats.is_opened', 'chats') }} as people,
        count(*) filter (where chats.is_opened and chats.is_engaged) as chats_engaged,
        count(*) filter (where chats.is_opened and chats.is_closed) as chats_closed,
        cast(sum(chats.messages) as bigint) as messages,
        cast(sum(chats.searches) as bigint) as searches,
        cast(coalesce(sum(conversations_of_chats.conversations), 0) as bigint) as conversations,
        cast(coalesce(sum(conversations_of_chats.conversations_ended), 0) as bigint)
            as conversations_ended,
        cast(sum(chats.nodes_served) as bigint) as nodes_served,
        cast(sum(chats.questions_answered) as bigint) as questions_answered,
        cast(sum(chats.actions_triggered) as bigint) as actions_triggered,
        cast(coalesce(sum(chats.duration_ms), 0) as bigint) as duration_ms,
        {{ quantile('chats.duration_ms', 0.5) }} as median_duration_ms,
        {{ quantile('chats.duration_ms', 0.9) }} as p90_duration_ms,
        cast(sum(chats.events) as bigint) as events
    from chats
    left join conversations_of_chats
        on chats.chat_key = conversations_of_chats.chat_key
    where {{ is_stale('report_date') }}
    group by chats.report_date, chats.system_id, chats.item_id, chats.item_name_without_id

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        ---------- key
        report_date,
        system_id,
        item_key,

        ---------- item
        item_id,
        item_name,
        name_in_events,

        ---------- chats
        chats,
        end_users,
        people,
        chats_engaged,
        {{ rate('chats_engaged', 'chats') }} as engagement_rate,
        chats_closed,
        {{ rate('chats_closed', 'chats') }} as close_rate,
        {{ ms_to_seconds('duration_ms') }} as duration_seconds,
        {{ rate(ms_to_seconds('duration_ms'), 'chats') }} as avg_duration_seconds,
        {{ ms_to_seconds('median_duration_ms') }} as median_duration_seconds,
        {{ ms_to_seconds('p90_duration_ms') }} as p90_duration_seconds,

        ---------- conversations
        conversations,
        conversations_ended,
        {{ rate('conversations_ended', 'conversations') }} as completion_rate,

        ---------- counts
        messages,
        searches,
        nodes_served,
        questions_answered,
        actions_triggered,
        events
    from named

)

select * from final
