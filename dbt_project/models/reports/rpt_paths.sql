with

by_month as (

    select * from {{ ref('int_path_steps_by_month') }}

),

items as (

    select * from {{ ref('dim_items') }}

),

totals as (

    select
        system_id,
        item_key,
        place,
        next_item_key,
        cast(sum(sessions) as bigint) as sessions
    from by_month
    group by system_id, item_key, place, next_item_key

),

-- At place 0 stands the item itself.
sessions_of_items as (

    select
        item_key,
        sessions as sessions_of_item
    from totals
    where place = 0

),

paths as (

    select
        totals.*,
        case when totals.place > 0 then 'after' else 'before' end as direction,
        abs(totals.place) as position,
        sessions_of_items.sessions_of_item
    from totals
    left join sessions_of_items
        on totals.item_key = sessions_of_items.item_key
    where totals.place <> 0

),

final as (

    select
        ---------- key
        paths.system_id,
        paths.item_key,
        paths.direction,
        paths.position,
        paths.next_item_key,

        ---------- items
        items.item_type,
        items.item_id,
        items.item_name,
        next_items.item_type as next_item_type,
        next_items.item_id as next_item_id,
        next_items.item_name as next_item_name,

        ---------- counts
        paths.sessions,
        paths.sessions_of_item,
        {{ rate('paths.sessions', 'paths.sessions_of_item') }} as share
    from paths
    left join items
        on paths.item_key = items.item_key
    left join items as next_items
        on paths.next_item_key = next_items.item_key

)

select * from final
