with

quiz_events as (

    select
        *,
        min(case when event = 'Submitted' then occurred_at end) over (
            partition by
                system_id, environment, session_id, item_id, {{ name_without_id() }}
        ) as first_submitted_at
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type = 'TeachMe Quiz' and event in ('Submitted', 'Passed', 'Failed')

),

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        event || ' at ' || occurred_at || ', first Submitted '
        || coalesce('at ' || first_submitted_at, 'never') as detail,
        coalesce(first_submitted_at > occurred_at, true) as is_violation
    from quiz_events
    where event in ('Passed', 'Failed')

)

{{ invariant_result('quiz_outcome_follows_submission', looked_at='looked_at') }}
