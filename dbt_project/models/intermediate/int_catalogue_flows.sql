with

content_items as (

    select * from {{ ref('stg_content_items') }}

),

content_steps as (

    select * from {{ ref('stg_content_steps') }}

),

step_totals as (

    select
        system_id,
        flow_item_type,
        flow_item_id,
        count(*) as steps,
        count(case when step_kind = 'ui' then 1 end) as ui_steps,
        count(case when step_type = 'PassOwnership' then 1 end) as pass_ownership_steps,
        count(case when is_terminal_step then 1 end) as terminal_steps
    from content_steps
    group by system_id, flow_item_type, flow_item_id

),

-- A flow whose status nobody gave may be live, so the rules for published flows hold for it too.
final as (

    select
        content_items.system_id,
        content_items.item_id,
        content_items.item_type,
        content_items.item_name,
        coalesce(content_items.publish_status, 'published') = 'published' as is_published,
        case
            when content_items.run_as_automation_process then 'automation'
            else 'visual'
        end as flow_kind,
        content_items.has_autoplay_rule,
        content_items.connects_to,
        coalesce(step_totals.steps, 0) as steps,
        coalesce(step_totals.ui_steps, 0) as ui_steps,
        coalesce(step_totals.pass_ownership_steps, 0) as pass_ownership_steps,
        coalesce(step_totals.terminal_steps, 0) as terminal_steps
    from content_items
    left join step_totals
        on
            content_items.system_id = step_totals.system_id
            and content_items.item_type = step_totals.flow_item_type
            and content_items.item_id = step_totals.flow_item_id
    where content_items.item_type in ('Smart Walk-Thru', 'Walk-Thru')

)

select * from final
