with

flow_events as (

    select * from {{ ref('int_flow_events') }}
    where {{ is_stale('home_date') }}

),

played_flows as (

    select distinct
        play_key,
        flow_item_type,
        flow_item_id,
        flow_name_without_id
    from flow_events
    where event = 'Play' and not is_step

),

-- A step that does not say whose it is, or a flow that says less than the step, is taken at the
-- play's word: ids are compared with ids, and names where neither has an id.
looked_at as (

    select
        flow_events.home_date,
        flow_events.event_date,
        flow_events.system_id,
        flow_events.session_id,
        flow_events.item_id,
        flow_events.event_key,
        'step of '
        || coalesce(flow_events.flow_item_id, flow_events.flow_item_name, 'an unnamed flow')
        || ', whose Play is not in play ' || coalesce(flow_events.play_id, flow_events.play_key)
            as detail,
        not exists (
            select 1
            from played_flows
            where
                flow_events.play_key = played_flows.play_key
                and flow_events.flow_item_type = played_flows.flow_item_type
                and coalesce(flow_events.flow_item_id = played_flows.flow_item_id, true)
                and coalesce(
                    flow_events.flow_name_without_id = played_flows.flow_name_without_id, true
                )
        ) as is_violation
    from flow_events
    where flow_events.is_step

)

{{ invariant_result('step_belongs_to_a_flow', looked_at='looked_at') }}
