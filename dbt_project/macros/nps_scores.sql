{# The scores that count, from a relation of `answers` with their report dates: who answers a question
   of a survey again on the same day counts with the last score. #}
{% macro nps_scores(answers) -%}
    select
        report_date,
        system_id,
        session_id,
        end_user_id,
        survey_id,
        survey_name_without_id,
        survey_name,
        event_key,
        item_id,
        item_name,
        started_at,
        nps_score
    from (
        select
            *,
            row_number() over (
                partition by
                    report_date,
                    system_id,
                    end_user_id,
                    survey_id,
                    survey_name_without_id,
                    item_id,
                    item_name_without_id
                order by started_at desc, dump_date desc, source_file desc, source_row desc
            ) as number_from_last
        from {{ answers }}
        where nps_score is not null
    ) as numbered_scores
    where number_from_last = 1
{%- endmacro %}

{# Columns of an answer in production that its score needs. #}
{% macro nps_answer_columns() -%}
        {{ name_without_id() }} as item_name_without_id,
        {{ name_without_id('survey_id', 'survey_name') }} as survey_name_without_id,
        {{ report_date('started_at') }} as report_date
{%- endmacro %}
