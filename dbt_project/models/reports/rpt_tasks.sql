with

tasks as (

    select
        *,
        {{ report_date('first_event_at') }} as report_date
    from {{ ref('fct_tasks') }}
    where environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

totals as (

    select
        report_date,
        system_id,
        item_id,
        {{ latest('item_name', at='last_event_at', key='task_key') }} as item_name,
        count(*) as sessions,
        count(distinct end_user_id) as end_users,
        cast(sum(plays) as bigint) as plays,
        cast(sum(completions) as bigint) as completions,
        count(*) filter (where plays > 0) as sessions_played,
        count(*) filter (where completions > 0) as sessions_completed,
        count(*) filter (where completed_without_play) as sessions_completed_without_play
    from tasks
    group by report_date, system_id, item_id

),

final as (

    select
        ---------- key
        totals.report_date,
        totals.system_id,
        totals.item_id,

        ---------- item
        coalesce(items.item_name, totals.item_name) as item_name,

        ---------- counts
        totals.sessions,
        totals.end_users,
        totals.plays,
        totals.completions,
        totals.sessions_played,
        totals.sessions_completed,
        totals.sessions_completed_without_play,

        ---------- rates
        {{ rate('totals.sessions_completed', 'totals.sessions') }} as completion_rate,
        {{ rate('totals.sessions_completed_without_play', 'totals.sessions_completed') }}
            as completed_without_play_rate
    from totals
    left join items
        on
            totals.system_id = items.system_id
            and totals.item_id = items.item_id

)

select * from final
