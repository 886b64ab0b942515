with

source as (

    select * from {{ source('raw', 'content_items') }}

),

content_steps as (

    select
        coalesce(source.system_id, 'unknown') as system_id,
        source.item_id as flow_item_id,
        source.item_type as flow_item_type,
        step.step_id,
        step.position as step_position,
        step.name as step_name,
        step.kind as step_kind,
        step.step_type,
        step.is_terminal as is_terminal_step
    from source
    {{ unnested('source.steps', 'step') }}

)

select * from content_steps
