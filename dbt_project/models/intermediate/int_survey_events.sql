{{ config(meta={'dated_by': ['home_date']}) }}
with

survey_events as (

    select
        *,
        case when item_type = 'Survey' then item_id else parent_item_id end as named_survey_id
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
        case when item_type = 'Survey' then item_name else parent_item_name end as survey_name
    from survey_events

),

keyed as (

    select
        md5({{ key_text(['system_id', 'environment', 'session_id', 'survey_id', 'play_id']) }})
            as play_key,
        event_key,
        occurred_at,
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
        survey_name,
        play_id,
        initiator,
        is_user_initiated,
        value
    from with_surveys

)

select * from keyed
