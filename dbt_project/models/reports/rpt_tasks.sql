{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

tasks as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('first_event_at') }} as report_date
    from {{ ref('fct_tasks') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

with_people as (

    {{ with_people('tasks', 'people_of_days') }}

),

totals as (

    select
        {{ daily_item_columns('Task') }},
        cast(sum(plays) as bigint) as plays,
        cast(sum(completions) as bigint) as completions,
        count(*) filter (where plays > 0) as sessions_played,
        count(*) filter (where completions > 0) as sessions_completed,
        count(*) filter (where completed_without_play) as sessions_completed_without_play
    from with_people
    where {{ is_stale('report_date') }}
    group by report_date, system_id, item_id, item_name_without_id

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

        ---------- counts
        sessions,
        end_users,
        people,
        plays,
        completions,
        sessions_played,
        sessions_completed,
        sessions_completed_without_play,

        ---------- rates
        {{ rate('sessions_completed', 'sessions') }} as completion_rate,
        {{ rate('sessions_completed_without_play', 'sessions_completed') }}
            as completed_without_play_rate
    from named

)

select * from final
