with

looked_at as (

    select
        cast(null as date) as event_date,
        system_id,
        cast(null as string) as session_id,
        item_id,
        cast(null as string) as event_key,
        coalesce(item_name, item_id) || ': none of ' || steps || ' steps is visual' as detail,
        ui_steps = 0 as is_violation
    from {{ ref('int_catalogue_flows') }}
    where is_published and flow_kind = 'visual' and item_type = 'Smart Walk-Thru'

)

{{ invariant_result('visual_flow_has_a_ui_step', looked_at='looked_at') }}
