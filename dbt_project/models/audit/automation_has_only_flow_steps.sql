with

looked_at as (

    select
        cast(null as date) as event_date,
        system_id,
        cast(null as string) as session_id,
        item_id,
        cast(null as string) as event_key,
        coalesce(item_name, item_id)
        || ': ' || ui_steps || ' of ' || steps || ' steps are visual' as detail,
        ui_steps > 0 as is_violation
    from {{ ref('int_catalogue_flows') }}
    where is_published and flow_kind = 'automation'

)

{{ invariant_result('automation_has_only_flow_steps', looked_at='looked_at') }}
