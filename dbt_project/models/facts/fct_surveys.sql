{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

survey_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('int_survey_events') }}
    where {{ is_stale('home_date') }}

),

plays as (

    select
        play_key,
        system_id,
        environment,
        session_id,
        survey_id as item_id,
        play_id,
        {{ latest('survey_name') }} as item_name,
        {{ latest('end_user_id') }} as end_user_id,
        {{ latest('initiator') }} as initiator,
        {{ latest('is_user_initiated') }} as is_user_initiated,
        min(home_date) as home_date,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        min(case when item_type = 'Survey' and event = 'Play' then occurred_at end) as viewed_at,
        min(case when item_type = 'Survey' and event = 'Submitted' then occurred_at end)
            as submitted_at,
        min(case when item_type = 'Survey' and event = 'Close' then occurred_at end) as closed_at,
        count(*) filter (where item_type = 'Survey' and event = 'Play') as views,
        count(*) filter (where item_type = 'Survey' and event = 'Submitted') as submissions,
        count(*) filter (where item_type = 'Survey' and event = 'Close') as closes,
        count(*) filter (where item_type = 'Survey Question') as answers,
        {{ count_items("item_type = 'Survey Question'") }} as questions_answered,
        count(*) as events
    from survey_events
    group by
        play_key,
        system_id,
        environment,
        session_id,
        survey_id,
        survey_name_without_id,
        play_id

),

final as (

    select
        ---------- key
        play_key,

        ---------- who and where
        system_id,
        environment,
        session_id,
        end_user_id,

        ---------- item
        item_id,
        item_name,

        ---------- play
        play_id,
        initiator,
        is_user_initiated,

        ---------- times
        home_date,
        cast(first_event_at as date) as event_date,
        first_event_at,
        last_event_at,
        viewed_at,
        submitted_at,
        closed_at,
        case
            when submitted_at >= viewed_at
                then
                    {{ ms_to_seconds(
                        '(' ~ epoch_ms('submitted_at') ~ ' - ' ~ epoch_ms('viewed_at') ~ ')'
                    ) }}
        end as seconds_to_submit,

        ---------- counts
        views,
        submissions,
        closes,
        answers,
        questions_answered,

        ---------- result
        case
            when submissions > 0 then 'submitted'
            when closes > 0 then 'closed'
            else 'ignored'
        end as result,
        events
    from plays

)

select * from final
