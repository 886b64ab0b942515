{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

automation_plays as (

    select * from {{ ref('fct_flow_plays') }}
    where
        {{ is_stale('home_date') }}
        and flow_kind = 'automation'

),

play_sessions as (

    select * from {{ ref('int_flow_play_sessions') }}
    where {{ is_stale('home_date') }}

),

-- Two plays ran side by side where neither ended before the other one began.
beside_visual_flows as (

    select distinct automations.play_key
    from play_sessions as automations
    inner join play_sessions as visuals
        on
            automations.system_id = visuals.system_id
            and automations.environment = visuals.environment
            and automations.session_id = visuals.session_id
            and automations.started_at <= visuals.last_event_at
            and automations.last_event_at >= visuals.started_at
    where automations.flow_kind = 'automation' and visuals.flow_kind = 'visual'

),

final as (

    select
        automation_plays.play_key,
        automation_plays.system_id,
        automation_plays.environment,
        automation_plays.session_id,
        automation_plays.item_id,
        automation_plays.item_name,
        automation_plays.home_date,
        automation_plays.event_date,
        automation_plays.started_at,
        automation_plays.steps_played,
        automation_plays.result,
        beside_visual_flows.play_key is not null as is_beside_visual_flow
    from automation_plays
    left join beside_visual_flows
        on automation_plays.play_key = beside_visual_flows.play_key

)

select * from final
