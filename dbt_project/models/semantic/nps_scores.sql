with

answers as (

    select
        *,
        {{ nps_answer_columns() }}
    from {{ ref('fct_survey_answers') }}
    where environment = 'production'

),

scores as (

    {{ nps_scores('answers') }}

),

final as (

    select
        event_key,
        report_date,
        system_id,
        {{ item_key("'Survey'", 'survey_id', 'survey_name_without_id') }} as item_key,
        survey_id as item_id,
        item_id as question_id,
        item_name as question_name,
        session_id,
        end_user_id,
        nps_score,
        nps_score >= {{ var('nps_promoters_from') }} as is_promoter,
        nps_score <= {{ var('nps_detractors_to') }} as is_detractor
    from scores

)

select * from final
