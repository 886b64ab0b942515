with

flow_plays as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_flow_plays') }}
    where environment = 'production' and result <> 'failed'

),

-- All events of a play have one home, so plays add up over the homes.
steps_by_home as (

    select * from {{ ref('int_funnel_steps_by_home') }}

),

items as (

    select * from {{ ref('dim_items') }}

),

plays_of_flows as (

    select
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        {{ last_by('item_name', ['started_at', 'item_name']) }} as item_name,
        count(*) as plays
    from flow_plays
    group by system_id, item_type, item_id, item_name_without_id

),

totals as (

    select
        {{ item_key('flow_item_type', 'flow_item_id', 'flow_name_without_id') }} as flow_item_key,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        flow_item_type,
        flow_item_id,
        item_type,
        item_id,
        item_name_without_id,
        min(flow_kind) as flow_kind,
        min(step_position) as step_position,
        min(step_kind) as step_kind,
        {{ quantile_of_all('positions', 0.5) }} as typical_position,
        {{ quantile_of_all('step_ms', 0.5) }} as median_step_ms,
        cast(sum(plays_reached) as bigint) as plays_reached,
        cast(sum(plays_went_on) as bigint) as plays_went_on,
        cast(sum(plays_completed_here) as bigint) as plays_completed_here,
        cast(sum(plays_dropped_off) as bigint) as plays_dropped_off
    from steps_by_home
    group by
        system_id,
        flow_item_type,
        flow_item_id,
        flow_name_without_id,
        item_type,
        item_id,
        item_name_without_id

),

ordered as (

    select
        *,
        row_number() over (
            partition by flow_item_key
            order by
                step_position asc nulls last,
                typical_position asc,
                item_id asc nulls last,
                item_name_without_id asc nulls last,
                item_type asc
        ) as step_number
    from totals

),

final as (

    select
        ---------- key
        ordered.system_id,
        ordered.flow_item_key,
        ordered.step_number,

        ---------- flow and step
        ordered.flow_item_type,
        ordered.flow_item_id,
        coalesce(flows.item_name, plays_of_flows.item_name) as flow_item_name,
        ordered.flow_kind,
        ordered.item_id,
        coalesce(steps.item_name, ordered.item_name_without_id) as item_name,
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
        on ordered.flow_item_key = plays_of_flows.item_key
    left join items as flows
        on ordered.flow_item_key = flows.item_key
    left join items as steps
        on ordered.item_key = steps.item_key

)

select * from final
