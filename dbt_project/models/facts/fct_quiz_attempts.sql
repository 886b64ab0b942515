{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
{% set quiz = ['system_id', 'environment', 'session_id', 'quiz_id', 'quiz_name_without_id'] -%}
with

-- A question has its quiz as its parent.
quiz_events as (

    select
        *,
        case item_type when 'TeachMe Quiz' then item_id else parent_item_id end as quiz_id,
        case item_type when 'TeachMe Quiz' then item_name else parent_item_name end as quiz_name,
        item_type = 'TeachMe Quiz' and event = 'Play' as is_play,
        item_type = 'TeachMe Quiz' and event = 'Submitted' as is_submission
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type in ('TeachMe Quiz', 'TeachMe Quiz Question')

),

with_quizzes as (

    select
        *,
        {{ name_without_id('quiz_id', 'quiz_name') }} as quiz_name_without_id
    from quiz_events

),

with_plays as (

    select
        *,
        sum(case when is_play then 1 else 0 end) over (
            partition by {{ quiz | join(', ') }}
            order by {{ in_event_order() }}
            rows between unbounded preceding and current row
        ) as plays
    from with_quizzes

),

with_submissions as (

    select
        *,
        sum(case when is_submission then 1 else 0 end) over (
            partition by {{ quiz | join(', ') }}, plays
            order by {{ in_event_order() }}
            rows between unbounded preceding and current row
        ) as submissions_since_play
    from with_plays

),

-- The first Submitted after a Play belongs to that Play's attempt.
numbered as (

    select
        *,
        sum(
            case
                when is_play then 1
                when is_submission and (plays = 0 or submissions_since_play > 1) then 1
                else 0
            end
        ) over (
            partition by {{ quiz | join(', ') }}
            order by {{ in_event_order() }}
            rows between unbounded preceding and current row
        ) as attempt_number
    from with_submissions

),

attempts as (

    select
        system_id,
        environment,
        session_id,
        quiz_id as item_id,
        quiz_name_without_id,
        cast(attempt_number as integer) as attempt_number,
        {{ latest('end_user_id') }} as end_user_id,
        {{ latest('quiz_name') }} as item_name,
        min(home_date) as home_date,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        min(case when is_play then occurred_at end) as started_at,
        min(case when is_submission then occurred_at end) as submitted_at,
        count(*) filter (where item_type = 'TeachMe Quiz Question') as questions_submitted,
        count(*) filter (where event = 'Passed') as passed_events,
        count(*) filter (where event = 'Failed') as failed_events,
        count(*) as events
    from numbered
    group by {{ quiz | join(', ') }}, attempt_number

),

final as (

    select
        ---------- attempt
        md5({{ key_text(session_item_key('quiz_name_without_id') + ['attempt_number']) }})
            as attempt_key,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_id,
        item_name,
        attempt_number,

        ---------- times
        home_date,
        cast(first_event_at as date) as event_date,
        first_event_at,
        last_event_at,
        started_at,
        submitted_at,
        {{ ms_to_seconds(epoch_ms('submitted_at') ~ ' - ' ~ epoch_ms('started_at')) }}
            as seconds_to_submit,

        ---------- what happened
        attempt_number > 0 as is_attempt,
        started_at is not null as is_started,
        submitted_at is not null as is_submitted,
        questions_submitted,
        passed_events,
        failed_events,
        case
            when passed_events > 0 and failed_events > 0 then 'ambiguous'
            when passed_events > 0 then 'passed'
            when failed_events > 0 then 'failed'
            when submitted_at is not null then 'unknown'
            else 'unfinished'
        end as result,
        events
    from attempts

)

select * from final
