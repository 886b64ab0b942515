{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

answers as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('int_survey_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_survey_answers') }}

),

survey_questions as (

    select * from {{ ref('int_survey_questions') }}
    where {{ is_stale('home_date') }}

),

with_bases as (

    select
        answers.*,
        survey_questions.nps_basis
    from answers
    left join survey_questions
        on
            answers.home_date = survey_questions.home_date
            and answers.system_id = survey_questions.system_id
            and answers.item_id is not distinct from survey_questions.item_id
            and answers.item_name_without_id
            is not distinct from survey_questions.item_name_without_id

),

final as (

    select
        ---------- keys
        event_key,
        play_key,

        ---------- who and where
        system_id,
        environment,
        session_id,
        end_user_id,

        ---------- item
        item_id,
        item_name,
        survey_id,
        survey_name,
        play_id,

        ---------- answer
        home_date,
        event_date,
        occurred_at as started_at,
        item_name as question,
        value as answer,
        case when nps_basis is not null then {{ nps_score('value') }} end as nps_score,
        nps_basis,
        cast(1 as bigint) as events,

        ---------- position in the landing
        dump_date,
        source_file,
        source_row
    from with_bases

)

select * from final
