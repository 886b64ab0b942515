{{ config(meta={'dated_by': ['event_date']}) }}
with

-- The parent's columns belong together, so the latest parent is taken as one value.
item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        case
            when coalesce(parent_item_id, parent_item_type, parent_item_name) is not null
                then
                    {{ struct_of(['parent_item_id', 'parent_item_type', 'parent_item_name']) }}
        end as parent
    from {{ ref('fct_item_events') }}
    where {{ is_stale('event_date') }}

),

items_by_date as (

    select
        event_date,
        system_id,
        item_type,
        item_id,
        item_name_without_id,
        {{ latest('item_name') }} as item_name,
        {{ latest('parent') }} as parent,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from item_events
    group by event_date, system_id, item_type, item_id, item_name_without_id

)

select * from items_by_date
