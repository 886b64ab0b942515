with

event_definitions as (

    select * from {{ ref('event_definitions') }}

),

raw_names as (

    select * from {{ ref('raw_names') }}

),

raw_names_of_pairs as (

    select
        item_type,
        event,
        {{
            dbt.listagg(
                "raw_item_type || '/' || raw_event",
                "', '",
                "order by raw_item_type, raw_event"
            )
        }} as raw_names,
        min(evidence) as raw_names_evidence
    from raw_names
    group by item_type, event

),

final as (

    select
        event_definitions.position,
        event_definitions.item_type,
        event_definitions.event,
        event_definitions.engagement,
        event_definitions.engagement_when_system_initiated,
        event_definitions.capped_per,
        event_definitions.pairing,
        event_definitions.paired_with,
        coalesce(event_definitions.order_in_ms, 1) as order_in_ms,
        event_definitions.definition,
        raw_names_of_pairs.raw_names,
        raw_names_of_pairs.raw_names_evidence
    from event_definitions
    left join raw_names_of_pairs
        on
            event_definitions.item_type = raw_names_of_pairs.item_type
            and event_definitions.event = raw_names_of_pairs.event

)

select * from final
