{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

automation_plays as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('started_at') }} as report_date
    from {{ ref('int_automation_plays') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

totals as (

    select
        report_date,
        {{ item_key("'Smart Walk-Thru'", 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        item_id,
        {{ last_by('item_name', ['started_at', 'item_name']) }} as name_in_events,
        count(*) as runs,
        count(*) filter (where result = 'failed') as failures,
        cast(sum(steps_played) as bigint) as steps,
        count(*) filter (where is_beside_visual_flow) as runs_beside_visual_flow,
        count(*) filter (where result = 'completed') as completed,
        count(*) filter (where result = 'stopped_by_launcher')
            as stopped_by_launcher
    from automation_plays
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
        runs,
        failures,
        {{ rate('failures', 'runs') }} as failure_rate,
        steps,
        {{ rate('steps', 'runs') }} as steps_per_run,
        runs_beside_visual_flow,
        completed,
        stopped_by_launcher
    from named

)

select * from final
