{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

plays as (

    select
        *,
        {{ name_without_id() }} as survey_name_without_id,
        {{ report_date('first_event_at') }} as report_date,
        {{ epoch_ms('submitted_at') }} - {{ epoch_ms('viewed_at') }} as ms_to_submit
    from {{ ref('fct_surveys') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

answers as (

    select
        *,
        {{ nps_answer_columns() }}
    from {{ ref('fct_survey_answers') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

answers_of_days as (

    select * from answers
    where {{ is_stale('report_date') }}

),

items as (

    select * from {{ ref('dim_items') }}

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

with_people as (

    {{ with_people('plays', 'people_of_days') }}

),

play_totals as (

    select
        report_date,
        {{ item_key("'Survey'", 'item_id', 'survey_name_without_id') }} as item_key,
        system_id,
        item_id,
        {{ last_by('item_name', ['last_event_at', 'item_name']) }} as item_name,
        count(*) as plays,
        count(*) filter (where views > 0) as plays_viewed,
        count(*) filter (where result = 'submitted') as plays_submitted,
        count(*) filter (where result = 'closed') as plays_closed,
        count(*) filter (where result = 'ignored') as plays_ignored,
        count(distinct end_user_id) as end_users,
        count(distinct end_user_id) filter (where result = 'submitted') as end_users_submitted,
        {{ count_people() }} as people,
        {{ count_people("result = 'submitted'") }} as people_submitted,
        {{ quantile('case when ms_to_submit >= 0 then ms_to_submit end', 0.5) }}
            as median_ms_to_submit
    from with_people
    where {{ is_stale('report_date') }}
    group by report_date, system_id, item_id, survey_name_without_id

),

scores as (

    {{ nps_scores('answers_of_days') }}

),

score_totals as (

    select
        report_date,
        {{ item_key("'Survey'", 'survey_id', 'survey_name_without_id') }} as item_key,
        system_id,
        survey_id as item_id,
        {{ last_by('survey_name', ['started_at', 'survey_name']) }} as item_name,
        count(*) as nps_answers,
        count(*) filter (where nps_score >= {{ var('nps_promoters_from') }}) as promoters,
        count(*) filter (
            where nps_score > {{ var('nps_detractors_to') }}
            and nps_score < {{ var('nps_promoters_from') }}
        ) as passives,
        count(*) filter (where nps_score <= {{ var('nps_detractors_to') }}) as detractors
    from scores
    group by report_date, system_id, survey_id, survey_name_without_id

),

-- A play counts on the day it began, an answer on its own; either may be alone on a day.
keys as (

    select
        report_date,
        item_key,
        system_id,
        item_id
    from play_totals
    union distinct
    select
        report_date,
        item_key,
        system_id,
        item_id
    from score_totals

),

final as (

    select
        ---------- key
        keys.report_date,
        keys.system_id,
        keys.item_key,

        ---------- item
        keys.item_id,
        coalesce(items.item_name, play_totals.item_name, score_totals.item_name) as item_name,
        coalesce(play_totals.item_name, score_totals.item_name) as name_in_events,

        ---------- plays
        coalesce(play_totals.plays, 0) as plays,
        coalesce(play_totals.plays_viewed, 0) as plays_viewed,
        coalesce(play_totals.plays_submitted, 0) as plays_submitted,
        coalesce(play_totals.plays_closed, 0) as plays_closed,
        coalesce(play_totals.plays_ignored, 0) as plays_ignored,
        coalesce(play_totals.end_users, 0) as end_users,
        coalesce(play_totals.end_users_submitted, 0) as end_users_submitted,
        coalesce(play_totals.people, 0) as people,
        coalesce(play_totals.people_submitted, 0) as people_submitted,
        {{ rate('play_totals.plays_submitted', 'play_totals.plays') }} as response_rate,
        {{ ms_to_seconds('play_totals.median_ms_to_submit') }} as median_seconds_to_submit,

        ---------- net promoter score
        coalesce(score_totals.nps_answers, 0) as nps_answers,
        coalesce(score_totals.promoters, 0) as promoters,
        coalesce(score_totals.passives, 0) as passives,
        coalesce(score_totals.detractors, 0) as detractors,
        {{ rate(
            '100 * (score_totals.promoters - score_totals.detractors)', 'score_totals.nps_answers'
        ) }} as nps
    from keys
    left join play_totals
        on
            keys.report_date = play_totals.report_date
            and keys.item_key = play_totals.item_key
    left join score_totals
        on
            keys.report_date = score_totals.report_date
            and keys.item_key = score_totals.item_key
    left join items
        on keys.item_key = items.item_key

)

select * from final
