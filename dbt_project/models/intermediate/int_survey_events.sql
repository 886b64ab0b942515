{{ config(meta={'dated_by': ['home_date']}) }}
{% set survey_play = [
    'system_id',
    'environment',
    'session_id',
    'survey_id',
    'survey_name_without_id',
    'play_id',
] -%}
with

survey_events as (

    select
        *,
        case when item_type = 'Survey' then item_id else parent_item_id end as named_survey_id,
        case when item_type = 'Survey' then item_name else parent_item_name end
            as named_survey_name
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_surveys') }}

),

-- A question that does not say whose it is belongs to the survey of its play.
with_surveys as (

    select
        *,
        coalesce(
            named_survey_id,
            case
                when play_id is not null
                    then
                        max(named_survey_id) over (
                            partition by system_id, environment, session_id, play_id
                        )
            end
        ) as survey_id,
        coalesce(
            named_survey_name,
            case
                when play_id is not null
                    then
                        max(named_survey_name) over (
                            partition by system_id, environment, session_id, play_id
                        )
            end
        ) as survey_name_of_play
    from survey_events

),

with_names as (

    select
        *,
        {{ name_without_id('survey_id', 'survey_name_of_play') }} as survey_name_without_id
    from with_surveys

),

keyed as (

    select
        md5({{ key_text(survey_play) }}) as play_key,
        event_key,
        occurred_at,
        order_in_ms,
        dump_date,
        source_file,
        source_row,
        event_date,
        home_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_type,
        event,
        item_id,
        item_name,
        survey_id,
        survey_name_without_id,
        coalesce(named_survey_name, survey_name_without_id) as survey_name,
        play_id,
        initiator,
        is_user_initiated,
        value
    from with_names

)

select * from keyed
