with

quiz_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type = 'TeachMe Quiz'

),

-- The next attempt begins with a Play, or with a Submitted that has none.
numbered as (

    select
        *,
        sum(case when event in ('Play', 'Submitted') then 1 else 0 end) over (
            partition by system_id, environment, session_id, item_id, item_name_without_id
            order by {{ in_event_order() }}
            rows between unbounded preceding and current row
        ) as part
    from quiz_events

),

judged as (

    select
        *,
        count(case when event = 'Passed' then 1 end) over (
            partition by
                system_id, environment, session_id, item_id, item_name_without_id, part
        ) as passed,
        count(case when event = 'Failed' then 1 end) over (
            partition by
                system_id, environment, session_id, item_id, item_name_without_id, part
        ) as failed
    from numbered

),

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        passed || ' Passed and ' || failed || ' Failed after this Submitted' as detail,
        passed > 0 and failed > 0 as is_violation
    from judged
    where event = 'Submitted'

)

{{ invariant_result('quiz_outcome_is_unambiguous', looked_at='looked_at') }}
