with

attempts as (

    select
        *,
        {{ report_date('first_event_at') }} as report_date,
        {{ epoch_ms('submitted_at') }} - {{ epoch_ms('started_at') }} as ms_to_submit
    from {{ ref('fct_quiz_attempts') }}
    where environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

-- Events before the first attempt are no attempt, but they did happen.
totals as (

    select
        report_date,
        system_id,
        item_id,
        max(item_name) as item_name,
        count(*) filter (where is_attempt) as attempts,
        count(distinct end_user_id) filter (where is_attempt) as end_users,
        count(*) filter (where is_attempt and is_submitted) as attempts_submitted,
        {% for result in ['passed', 'failed', 'ambiguous', 'unknown', 'unfinished'] -%}
        count(*) filter (where is_attempt and result = '{{ result }}')
            as attempts_{{ result }},
        {% endfor -%}
        count(distinct end_user_id) filter (where is_attempt and result = 'passed')
            as end_users_passed,
        {{ quantile('ms_to_submit', 0.5) }} as median_ms_to_submit,
        {{ quantile('ms_to_submit', 0.9) }} as p90_ms_to_submit,
        cast(sum(questions_submitted) as bigint) as questions_submitted,
        cast(sum(events) as bigint) as events
    from attempts
    group by report_date, system_id, item_id

),

final as (

    select
        ---------- key
        totals.report_date,
        totals.system_id,
        totals.item_id,

        ---------- item
        coalesce(items.item_name, totals.item_name) as item_name,

        ---------- attempts
        totals.attempts,
        totals.end_users,
        totals.attempts_submitted,
        {{ rate('totals.attempts_submitted', 'totals.attempts') }} as submission_rate,
        {{ ms_to_seconds('totals.median_ms_to_submit') }} as median_seconds_to_submit,
        {{ ms_to_seconds('totals.p90_ms_to_submit') }} as p90_seconds_to_submit,

        ---------- results
        totals.attempts_passed,
        totals.attempts_failed,
        totals.attempts_passed + totals.attempts_failed as attempts_decided,
        {{ rate('totals.attempts_passed', 'totals.attempts_passed + totals.attempts_failed') }}
            as pass_rate,
        totals.attempts_ambiguous,
        totals.attempts_unknown,
        totals.attempts_unfinished,
        totals.end_users_passed,

        ---------- counts
        totals.questions_submitted,
        totals.events
    from totals
    left join items
        on
            totals.system_id = items.system_id
            and totals.item_id = items.item_id

)

select * from final
