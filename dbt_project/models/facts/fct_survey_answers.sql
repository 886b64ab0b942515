{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
{% set scores = range(var('nps_highest_score') + 1) | join("', '") -%}
with

answers as (

    select
        *,
        -- Some deliveries keep the quotes of JSON.
        trim(replace(value, '"', '')) as answer_text
    from {{ ref('int_survey_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_survey_answers') }}

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
        case
            when answer_text in ('{{ scores }}')
                then cast(answer_text as integer)
        end as nps_score,
        cast(1 as bigint) as events
    from answers

)

select * from final
