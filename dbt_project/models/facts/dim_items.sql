with

items_by_date as (

    select * from {{ ref('int_items_by_report_date') }}

),

catalogue_items as (

    select * from {{ ref('int_catalogue_items') }}

),

seen_items as (

    select
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        item_type,
        item_id,
        {{ last_by('item_name', ['report_date']) }} as item_name,
        {{ last_by('parent', ['report_date']) }} as parent,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from items_by_date
    group by system_id, item_type, item_id, item_name_without_id

),

seen_or_listed as (

    select
        coalesce(seen_items.item_key, catalogue_items.item_key) as item_key,
        coalesce(seen_items.system_id, catalogue_items.system_id) as system_id,
        coalesce(seen_items.item_type, catalogue_items.item_type) as item_type,
        coalesce(seen_items.item_id, catalogue_items.item_id) as item_id,
        coalesce(catalogue_items.item_name, seen_items.item_name) as item_name,
        seen_items.item_name as last_event_name,
        coalesce(catalogue_items.parent_item_id, seen_items.parent.parent_item_id)
            as parent_item_id,
        -- The events have a say about the parent only where they mean the same one.
        case
            when catalogue_items.parent_item_id <> seen_items.parent.parent_item_id
                then catalogue_items.parent_item_type
            else coalesce(catalogue_items.parent_item_type, seen_items.parent.parent_item_type)
        end as parent_item_type,
        case
            when catalogue_items.parent_item_id <> seen_items.parent.parent_item_id
                then catalogue_items.parent_item_name
            else coalesce(catalogue_items.parent_item_name, seen_items.parent.parent_item_name)
        end as parent_item_name,
        seen_items.first_seen_at,
        seen_items.last_seen_at,
        catalogue_items.item_key is not null as is_in_catalogue,
        catalogue_items.publish_status,
        catalogue_items.run_as_automation_process,
        catalogue_items.has_autoplay_rule,
        catalogue_items.pass_mark,
        catalogue_items.step_kind,
        catalogue_items.step_type,
        catalogue_items.step_position,
        catalogue_items.is_terminal_step
    from seen_items
    full outer join catalogue_items
        on seen_items.item_key = catalogue_items.item_key

),

final as (

    select
        ---------- item
        item_key,
        system_id,
        item_type,
        item_id,
        item_name,
        last_event_name,
        parent_item_id,
        parent_item_type,
        parent_item_name,

        ---------- times
        first_seen_at,
        last_seen_at,

        ---------- catalogue
        is_in_catalogue,
        publish_status,
        run_as_automation_process,
        has_autoplay_rule,
        case
            when item_type <> 'Smart Walk-Thru' then null
            when not is_in_catalogue then 'unknown'
            when run_as_automation_process then 'automation'
            else 'visual'
        end as flow_kind,
        pass_mark,
        step_kind,
        step_type,
        step_position,
        is_terminal_step
    from seen_or_listed

)

select * from final
