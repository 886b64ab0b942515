with

play_sessions as (

    select
        *,
        {{ item_key('item_type', 'item_id', 'item_name') }} as item_key
    from {{ ref('int_flow_play_sessions') }}
    where environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

-- Two plays ran side by side where neither ended before the other one began.
side_by_side as (

    select distinct
        automations.system_id,
        automations.session_id,
        automations.play_key as automation_play_key,
        automations.item_key as automation_item_key,
        automations.item_id as automation_item_id,
        visuals.play_key,
        visuals.item_key,
        visuals.item_type,
        visuals.item_id
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
        system_id,
        automation_item_key,
        automation_item_id,
        item_key,
        item_type,
        item_id,
        count(distinct automation_play_key) as automation_plays,
        count(distinct play_key) as flow_plays,
        count(distinct session_id) as sessions
    from side_by_side
    group by
        system_id, automation_item_key, automation_item_id, item_key, item_type, item_id

),

final as (

    select
        totals.system_id,
        totals.automation_item_id,
        automations.item_name as automation_name,
        totals.item_type as flow_item_type,
        totals.item_id as flow_item_id,
        flows.item_name as flow_name,
        totals.automation_plays,
        totals.flow_plays,
        totals.sessions
    from totals
    left join items as automations
        on totals.automation_item_key = automations.item_key
    left join items as flows
        on totals.item_key = flows.item_key

)

select * from final
order by system_id, automation_item_id, automation_name, flow_item_type, flow_item_id, flow_name
