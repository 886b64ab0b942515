with

automation_plays as (

    select
        *,
        {{ report_date('started_at') }} as report_date
    from {{ ref('fct_flow_plays') }}
    where environment = 'production' and flow_kind = 'automation'

),

play_sessions as (

    select * from {{ ref('int_flow_play_sessions') }}
    where environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

-- Two plays ran side by side where neither ended before the other one began.
beside_visual_flows as (

    select distinct automations.play_key
    from play_sessions as automations
    inner join play_sessions as visuals
        on
            automations.system_id = visuals.system_id
            and automations.session_id = visuals.session_id
            and automations.started_at <= visuals.last_event_at
            and automations.last_event_at >= visuals.started_at
    where automations.flow_kind = 'automation' and visuals.flow_kind = 'visual'

),

totals as (

    select
        automation_plays.report_date,
        automation_plays.system_id,
        automation_plays.item_id,
        {{ last_by('automation_plays.item_name', ['started_at', 'automation_plays.play_key']) }}
            as name_in_events,
        count(*) as runs,
        count(*) filter (where automation_plays.result = 'failed') as failures,
        cast(sum(automation_plays.steps_played) as bigint) as steps,
        count(beside_visual_flows.play_key) as runs_beside_visual_flow,
        count(*) filter (where automation_plays.result = 'completed') as completed,
        count(*) filter (where automation_plays.result = 'stopped_by_launcher')
            as stopped_by_launcher
    from automation_plays
    left join beside_visual_flows
        on automation_plays.play_key = beside_visual_flows.play_key
    group by automation_plays.report_date, automation_plays.system_id, automation_plays.item_id

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        ---------- key
        report_date,
        system_id,
        item_id,

        ---------- item
        item_name,

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
