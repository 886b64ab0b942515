with

shoutout_events as (

    select
        *,
        min(case when event = 'Play' then occurred_at end) over (
            partition by
                system_id, environment, session_id, shoutout_id, item_name_without_id
        ) as first_shown_at
    from {{ ref('int_shoutout_events') }}
    where {{ is_stale('home_date') }}

),

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        item_type || ' ' || event || ' at ' || occurred_at || ', first Play '
        || coalesce('at ' || first_shown_at, 'never') as detail,
        coalesce(first_shown_at > occurred_at, true) as is_violation
    from shoutout_events
    where event in ('Click', 'Close')

)

{{ invariant_result('shoutout_action_was_shown', looked_at='looked_at') }}
