{% set republished_on = "cast('" ~ var('republished_on', '2026-03-08') ~ "' as date)" -%}
{% set days = var('days_compared', 7) | int -%}
with

flow_plays as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ days_between(republished_on, report_date('started_at')) }} as days_after
    from {{ ref('fct_flow_plays') }}
    where environment = 'production' and has_known_end

),

items as (

    select * from {{ ref('dim_items') }}

),

compared_plays as (

    select
        *,
        days_after >= 0 as is_after,
        result = 'completed' as is_completed
    from flow_plays
    where days_after >= -{{ days }} and days_after < {{ days }}

),

totals as (

    select
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        item_type,
        item_id,
        {{ last_by('item_name', ['started_at', 'item_name']) }} as name_in_events,
        count(*) filter (where not is_after) as plays_before,
        count(*) filter (where not is_after and is_completed) as completed_before,
        count(*) filter (where is_after) as plays_after,
        count(*) filter (where is_after and is_completed) as completed_after
    from compared_plays
    group by system_id, item_type, item_id, item_name_without_id

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        system_id,
        item_type,
        item_id,
        item_name,
        plays_before,
        completed_before,
        {{ rate('completed_before', 'plays_before') }} as completion_rate_before,
        plays_after,
        completed_after,
        {{ rate('completed_after', 'plays_after') }} as completion_rate_after,
        {{ rate('completed_after', 'plays_after') }}
        - {{ rate('completed_before', 'plays_before') }} as difference
    from named

)

select * from final
order by system_id, item_type, item_id, item_name
