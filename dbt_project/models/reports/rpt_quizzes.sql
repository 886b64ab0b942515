{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

attempts as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('first_event_at') }} as report_date,
        {{ epoch_ms('submitted_at') }} - {{ epoch_ms('started_at') }} as ms_to_submit
    from {{ ref('fct_quiz_attempts') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

with_people as (

    {{ with_people('attempts', 'people_of_days') }}

),

-- Events before the first attempt are no attempt, but they did happen.
totals as (

    select
        report_date,
        {{ item_key("'TeachMe Quiz'", 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        item_id,
        max(item_name) as name_in_events,
        count(*) filter (where is_attempt) as attempts,
        count(distinct end_user_id) filter (where is_attempt) as end_users,
        {{ count_people('is_attempt') }} as people,
        count(*) filter (where is_attempt and is_submitted) as attempts_submitted,
        {% for result in ['passed', 'failed', 'ambiguous', 'unknown', 'unfinished'] -%}
        count(*) filter (where is_attempt and result = '{{ result }}')
            as attempts_{{ result }},
        {% endfor -%}
        count(distinct end_user_id) filter (where is_attempt and result = 'passed')
            as end_users_passed,
        {{ count_people("is_attempt and result = 'passed'") }} as people_passed,
        {{ quantile('ms_to_submit', 0.5) }} as median_ms_to_submit,
        {{ quantile('ms_to_submit', 0.9) }} as p90_ms_to_submit,
        cast(sum(questions_submitted) as bigint) as questions_submitted,
        cast(sum(events) as bigint) as events
    from with_people
    where {{ is_stale('report_date') }}
    group by report_date, system_id, item_id, item_name_without_id

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        ---------- key
        report_date,
        system_id,
        item_key,

        ---------- item
        item_id,
        item_name,
        name_in_events,

        ---------- attempts
        attempts,
        end_users,
        people,
        attempts_submitted,
        {{ rate('attempts_submitted', 'attempts') }} as submission_rate,
        {{ ms_to_seconds('median_ms_to_submit') }} as median_seconds_to_submit,
        {{ ms_to_seconds('p90_ms_to_submit') }} as p90_seconds_to_submit,

        ---------- results
        attempts_passed,
        attempts_failed,
        attempts_passed + attempts_failed as attempts_decided,
        {{ rate('attempts_passed', 'attempts_passed + attempts_failed') }}
            as pass_rate,
        attempts_ambiguous,
        attempts_unknown,
        attempts_unfinished,
        end_users_passed,
        people_passed,

        ---------- counts
        questions_submitted,
        events
    from named

)

select * from final
