with

survey_events as (

    select
        *,
        min(case when event = 'Play' then occurred_at end) over (
            partition by
                system_id, environment, session_id, item_id, {{ name_without_id() }}
        ) as first_viewed_at
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type = 'Survey'

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
        || coalesce('at ' || first_viewed_at, 'never') as detail,
        coalesce(first_viewed_at > occurred_at, true) as is_violation
    from survey_events
    where event in ('Submitted', 'Close')

)

{{ invariant_result('survey_submitted_was_viewed', looked_at='looked_at') }}
