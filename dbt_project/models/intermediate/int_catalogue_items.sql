with

content_items as (

    select * from {{ ref('stg_content_items') }}

),

content_questions as (

    select * from {{ ref('stg_content_questions') }}

),

content_steps as (

    select * from {{ ref('stg_content_steps') }}

),

items_and_parts as (

    select
        system_id,
        item_id,
        item_type,
        item_name,
        parent_item_id,
        publish_status,
        run_as_automation_process,
        has_autoplay_rule,
        pass_mark,
        cast(null as string) as step_kind,
        cast(null as string) as step_type,
        cast(null as integer) as step_position,
        cast(null as boolean) as is_terminal_step,
        0 as precedence
    from content_items

    union all

    select
        system_id,
        step_id as item_id,
        flow_item_type || ' Step' as item_type,
        step_name as item_name,
        flow_item_id as parent_item_id,
        cast(null as string) as publish_status,
        cast(null as boolean) as run_as_automation_process,
        cast(null as boolean) as has_autoplay_rule,
        cast(null as double) as pass_mark,
        step_kind,
        step_type,
        step_position,
        is_terminal_step,
        1 as precedence
    from content_steps

    union all

    select
        system_id,
        question_id as item_id,
        survey_item_type || ' Question' as item_type,
        question_name as item_name,
        survey_item_id as parent_item_id,
        cast(null as string) as publish_status,
        cast(null as boolean) as run_as_automation_process,
        cast(null as boolean) as has_autoplay_rule,
        cast(null as double) as pass_mark,
        cast(null as string) as step_kind,
        cast(null as string) as step_type,
        cast(null as integer) as step_position,
        cast(null as boolean) as is_terminal_step,
        1 as precedence
    from content_questions

),

-- An item that is listed by itself and as a part, or as a part of two, is listed once: by itself,
-- then as the part of the one with the smaller id.
ranked as (

    select
        *,
        row_number() over (
            partition by system_id, item_type, item_id
            order by
                precedence asc,
                parent_item_id asc nulls last,
                step_position asc nulls last,
                item_name asc nulls last
        ) as choice
    from items_and_parts
    where item_id is not null

),

-- A part has a whole of its own type; any other item has the one item of that id, if there is one.
parents as (

    select
        *,
        count(*) over (partition by system_id, item_id) as items_of_id
    from content_items

),

catalogue_items as (

    select
        {{
            item_key(
                'ranked.item_type', 'ranked.item_id', 'ranked.item_name', 'ranked.system_id'
            )
        }} as item_key,
        ranked.system_id,
        ranked.item_id,
        ranked.item_type,
        ranked.item_name,
        ranked.parent_item_id,
        parents.item_type as parent_item_type,
        parents.item_name as parent_item_name,
        ranked.publish_status,
        ranked.run_as_automation_process,
        ranked.has_autoplay_rule,
        ranked.pass_mark,
        ranked.step_kind,
        ranked.step_type,
        ranked.step_position,
        ranked.is_terminal_step
    from ranked
    left join parents
        on
            ranked.system_id = parents.system_id
            and ranked.parent_item_id = parents.item_id
            and coalesce(
                {{ type_of_whole('ranked.item_type') }} = parents.item_type,
                parents.items_of_id = 1
            )
    where ranked.choice = 1

)

select * from catalogue_items
