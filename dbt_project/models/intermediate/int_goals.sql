{{ config(materialized=as_view()) }}
with

listed_goals as (

    select * from {{ ref('goals') }}

),

catalogue_items as (

    select
        *,
        {{ folded(trimmed('item_name')) }} as folded_name
    from {{ ref('dim_items') }}
    where is_in_catalogue

),

listed_flows as (

    select distinct
        system_id,
        flow_item_type,
        flow_item_id
    from listed_goals

),

-- The catalogue connects a flow with the tasks that are its parts or have its name.
connected_goals as (

    select
        flows.system_id,
        flows.item_type as flow_item_type,
        flows.item_id as flow_item_id,
        tasks.item_id as task_item_id
    from catalogue_items as flows
    inner join catalogue_items as tasks
        on
            flows.system_id = tasks.system_id
            and (
                flows.folded_name = tasks.folded_name
                or (
                    flows.item_id = tasks.parent_item_id
                    and flows.item_type = coalesce(tasks.parent_item_type, flows.item_type)
                )
            )
    left join listed_flows
        on
            flows.system_id = listed_flows.system_id
            and flows.item_type = listed_flows.flow_item_type
            and flows.item_id = listed_flows.flow_item_id
    where
        flows.item_type in ('Smart Walk-Thru', 'Walk-Thru')
        and tasks.item_type = 'Task'
        and listed_flows.flow_item_id is null

),

goals as (

    select
        system_id,
        flow_item_type,
        flow_item_id,
        task_item_id
    from listed_goals

    union all

    select * from connected_goals

),

final as (

    select
        {{ item_key('flow_item_type', 'flow_item_id', 'null') }} as flow_item_key,
        {{ item_key("'Task'", 'task_item_id', 'null') }} as goal_item_key,
        system_id,
        flow_item_type,
        flow_item_id,
        task_item_id
    from goals

)

select * from final
