with

looked_at as (

    select
        cast(null as date) as event_date,
        system_id,
        cast(null as string) as session_id,
        item_id,
        cast(null as string) as event_key,
        coalesce(item_name, item_id) || ' has no auto-play rule' as detail,
        not has_autoplay_rule as is_violation
    from {{ ref('int_catalogue_flows') }}
    where is_published and flow_kind = 'automation'

)

{{ invariant_result('automation_has_autoplay_rule', looked_at='looked_at') }}
