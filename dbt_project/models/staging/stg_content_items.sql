with

source as (

    select * from {{ source('raw', 'content_items') }}

),

content_items as (

    select
        coalesce(system_id, 'unknown') as system_id,
        item_id,
        item_type,
        name as item_name,
        parent_item_id,
        publish_status,
        run_as_automation_process,
        has_autoplay_rule,
        connects_to,
        pass_mark
    from source

)

select * from content_items
