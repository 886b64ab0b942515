with

smarttip_events as (

    select
        *,
        count(case when event = 'Visible' then 1 end) over (
            partition by
                system_id, environment, session_id, item_id, {{ name_without_id() }}
        ) as visibles
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type = 'SmartTip' and event in ('Visible', 'Click')

),

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        'no Visible of this SmartTip in the session' as detail,
        visibles = 0 as is_violation
    from smarttip_events
    where event = 'Click'

)

{{ invariant_result('smarttip_click_comes_with_visible', looked_at='looked_at') }}
