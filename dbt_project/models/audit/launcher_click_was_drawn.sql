with

launcher_events as (

    select
        *,
        min(case when event = 'Play' then occurred_at end) over (
            partition by
                system_id, environment, session_id, item_id, {{ name_without_id() }}
        ) as first_drawn_at
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type = 'Launcher'

),

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        event || ' at ' || occurred_at || ', first Play '
        || coalesce('at ' || first_drawn_at, 'never') as detail,
        coalesce(first_drawn_at > occurred_at, true) as is_violation
    from launcher_events
    where event in ('Click')

)

{{ invariant_result('launcher_click_was_drawn', looked_at='looked_at') }}
