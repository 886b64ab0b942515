with

flow_plays as (

    select * from {{ ref('fct_flow_plays') }}
    where environment = 'production' and result <> 'failed'

),

flow_steps as (

    select
        *,
        case when item_id is null then item_name end as item_name_without_id,
        {{ epoch_ms('next_step_at') }} - {{ epoch_ms('started_at') }} as step_ms
    from {{ ref('fct_flow_steps') }}

),

items as (

    select * from {{ ref('dim_items') }}

),

plays_of_flows as (

    select
        system_id,
        item_type,
        item_id,
        {{ last_by('item_name', ['started_at', 'play_key']) }} as item_name,
        count(*) as plays
    from flow_plays
    group by system_id, item_type, item_id

),

steps_of_plays as (

    select
        flow_plays.system_id,
        flow_plays.item_type as flow_item_type,
        flow_plays.item_id as flow_item_id,
        flow_plays.flow_kind,
        flow_plays.result,
        flow_steps.step_key,
        flow_steps.item_id,
        flow_steps.item_name,
        flow_steps.item_name_without_id,
        flow_steps.started_at,
        flow_steps.next_step_at,
        flow_steps.step_ms,
        flow_steps.position_in_play,
        flow_steps.step_position,
        flow_steps.step_kind
    from flow_plays
    inner join flow_steps
        on flow_plays.play_key = flow_steps.play_key

),

totals as (

    select
        system_id,
        flow_item_type,
        flow_item_id,
        item_id,
        item_name_without_id,
        min(flow_kind) as flow_kind,
        {{ last_by('item_name', ['started_at', 'step_key']) }} as item_name,
        min(step_position) as step_position,
        min(step_kind) as step_kind,
        {{ quantile('position_in_play', 0.5) }} as typical_position,
        count(*) as plays_reached,
        count(*) filter (where next_step_at is not null) as plays_went_on,
        count(*) filter (where next_step_at is null and result = 'completed')
            as plays_completed_here,
        count(*) filter (where next_step_at is null and result <> 'completed')
            as plays_dropped_off,
        {{ quantile('step_ms', 0.5) }} as median_step_ms
    from steps_of_plays
    group by system_id, flow_item_type, flow_item_id, item_id, item_name_without_id

),

ordered as (

    select
        *,
        row_number() over (
            partition by system_id, flow_item_type, flow_item_id
            order by
                step_position asc nulls last,
                typical_position asc,
                item_id asc nulls last,
                item_name_without_id asc nulls last
        ) as step_number
    from totals

),

final as (

    select
        ---------- key
        ordered.system_id,
        ordered.flow_item_type,
        ordered.flow_item_id,
        ordered.step_number,

        ---------- flow and step
        coalesce(flows.item_name, plays_of_flows.item_name) as flow_item_name,
        ordered.flow_kind,
        ordered.item_id,
        coalesce(steps.item_name, ordered.item_name) as item_name,
        ordered.step_kind,
        ordered.step_position,
        ordered.typical_position,

        ---------- counts
        plays_of_flows.plays,
        ordered.plays_reached,
        {{ rate('ordered.plays_reached', 'plays_of_flows.plays') }} as reach_rate,
        ordered.plays_went_on,
        ordered.plays_completed_here,
        ordered.plays_dropped_off,
        {{ rate('ordered.plays_dropped_off', 'ordered.plays_reached') }} as drop_off_rate,

        ---------- durations
        {{ ms_to_seconds('ordered.median_step_ms') }} as median_seconds
    from ordered
    left join plays_of_flows
        on
            ordered.system_id = plays_of_flows.system_id
            and ordered.flow_item_type = plays_of_flows.item_type
            and ordered.flow_item_id is not distinct from plays_of_flows.item_id
    left join items as flows
        on
            ordered.system_id = flows.system_id
            and ordered.flow_item_id = flows.item_id
    left join items as steps
        on
            ordered.system_id = steps.system_id
            and ordered.item_id = steps.item_id

)

select * from final
