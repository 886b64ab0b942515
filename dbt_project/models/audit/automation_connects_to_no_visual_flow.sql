with

catalogue_flows as (

    select * from {{ ref('int_catalogue_flows') }}

),

named_connections as (

    select
        system_id,
        item_type,
        item_id,
        connected_item_id
    from catalogue_flows
    {{ unnested('connects_to', 'connected_item_id') }}

),

-- An id is that of a flow of the same type, if there is one, else of the other type.
connections as (

    select
        named_connections.*,
        coalesce(same_type.item_type, other_type.item_type) as connected_item_type
    from named_connections
    left join catalogue_flows as same_type
        on
            named_connections.system_id = same_type.system_id
            and named_connections.item_type = same_type.item_type
            and named_connections.connected_item_id = same_type.item_id
    left join catalogue_flows as other_type
        on
            named_connections.system_id = other_type.system_id
            and named_connections.item_type <> other_type.item_type
            and named_connections.connected_item_id = other_type.item_id

),

reached as (

    {{ reached_flows('catalogue_flows', 'connections') }}

),

visual_connections as (

    select
        reached.system_id,
        reached.item_type,
        reached.item_id,
        count(*) as visual_flows,
        min(reached.connected_item_id) as first_visual_item_id
    from reached
    inner join catalogue_flows
        on
            reached.system_id = catalogue_flows.system_id
            and reached.connected_item_type = catalogue_flows.item_type
            and reached.connected_item_id = catalogue_flows.item_id
    where catalogue_flows.ui_steps > 0
    group by reached.system_id, reached.item_type, reached.item_id

),

looked_at as (

    select
        cast(null as date) as event_date,
        catalogue_flows.system_id,
        cast(null as string) as session_id,
        catalogue_flows.item_id,
        cast(null as string) as event_key,
        coalesce(catalogue_flows.item_name, catalogue_flows.item_id) || ' leads to '
        || visual_connections.visual_flows || ' flows with visual steps, such as '
        || visual_connections.first_visual_item_id as detail,
        visual_connections.item_id is not null as is_violation
    from catalogue_flows
    left join visual_connections
        on
            catalogue_flows.system_id = visual_connections.system_id
            and catalogue_flows.item_type = visual_connections.item_type
            and catalogue_flows.item_id = visual_connections.item_id
    where catalogue_flows.is_published and catalogue_flows.flow_kind = 'automation'

)

{{ invariant_result('automation_connects_to_no_visual_flow', looked_at='looked_at') }}
