{# The flows that the automation processes among `flows` lead to, at any distance, each once: system,
   item type and item id, connected_item_type and connected_item_id. `connections` holds, under the
   same names, what a flow leads to directly. #}
{% macro reached_flows(flows, connections) -%}
    {{ return(adapter.dispatch('reached_flows')(flows, connections)) }}
{%- endmacro %}

{# `union` keeps each pair once, so connections that run in a circle come to an end. #}
{% macro duckdb__reached_flows(flows, connections) -%}
    with recursive

    spread as (

        select
            flows.system_id,
            flows.item_type,
            flows.item_id,
            connections.connected_item_type,
            connections.connected_item_id
        from {{ flows }} as flows
        inner join {{ connections }} as connections
            on
                flows.system_id = connections.system_id
                and flows.item_type = connections.item_type
                and flows.item_id = connections.item_id
        where flows.is_published and flows.flow_kind = 'automation'

        union

        select
            spread.system_id,
            spread.item_type,
            spread.item_id,
            connections.connected_item_type,
            connections.connected_item_id
        from spread
        inner join {{ connections }} as connections
            on
                spread.system_id = connections.system_id
                and spread.connected_item_type = connections.item_type
                and spread.connected_item_id = connections.item_id

    )

    select * from spread
{%- endmacro %}

{# Spark 3.5 knows no recursion. A map of a system's flows says what each leads to. Going along it
   doubles the distance that it knows of, so that as many rounds as the number of flows has binary
   digits find everything. A catalogue has thousands of flows at the most: a system's fit in one row. #}
{% macro spark__reached_flows(flows, connections) -%}
    with

    direct as (

        select
            system_id,
            struct(item_type, item_id) as flow,
            collect_set(struct(connected_item_type as item_type, connected_item_id as item_id))
                as leads_to
        from {{ connections }}
        where connected_item_type is not null
        group by system_id, item_type, item_id

    ),

    spread as (

        select
            system_id,
            aggregate(
                sequence(1, length(bin(count(*)))),
                map_from_entries(collect_list(struct(flow, leads_to))),
                (known, step) -> transform_values(
                    known,
                    (flow, leads_to) -> array_distinct(
                        concat(
                            leads_to,
                            flatten(
                                transform(
                                    filter(leads_to, other -> map_contains_key(known, other)),
                                    other -> known[other]
                                )
                            )
                        )
                    )
                )
            ) as known
        from direct
        group by system_id

    ),

    pairs as (

        select
            system_id,
            flow,
            connected
        from spread
        lateral view explode(known) flows_of_system as flow, leads_to
        lateral view explode(leads_to) flows_reached as connected

    )

    select
        flows.system_id,
        flows.item_type,
        flows.item_id,
        pairs.connected.item_type as connected_item_type,
        pairs.connected.item_id as connected_item_id
    from {{ flows }} as flows
    inner join pairs
        on
            flows.system_id = pairs.system_id
            and flows.item_type = pairs.flow.item_type
            and flows.item_id = pairs.flow.item_id
    where flows.is_published and flows.flow_kind = 'automation'
{%- endmacro %}
