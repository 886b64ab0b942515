with

paths as (

    select * from {{ ref('rpt_paths') }}

),

final as (

    select
        system_id,
        item_type,
        item_id,
        item_name,
        next_item_type as previous_item_type,
        next_item_id as previous_item_id,
        next_item_name as previous_item_name,
        sessions_of_item as sessions_of_flow,
        sessions,
        share
    from paths
    where
        item_type in ('Smart Walk-Thru', 'Walk-Thru')
        and direction = 'before'
        and position = 1

)

select * from final
order by
    system_id asc,
    item_type asc,
    item_id asc,
    item_name asc,
    sessions desc,
    previous_item_type asc,
    previous_item_id asc,
    previous_item_name asc
