{{ config(meta={'dated_by': ['report_date']}) }}
with

searches as (

    select
        *,
        {{ report_date('first_event_at') }} as report_date,
        {{ epoch_ms('clicked_at') }} - {{ epoch_ms('searched_at') }} as ms_to_click
    from {{ ref('fct_searches') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

with_people as (

    {{ with_people('searches', 'people_of_days') }}

),

totals as (

    select
        report_date,
        system_id,
        search_term,
        count(*) filter (where keystroke_events > 0) as searches,
        count(distinct session_id) as sessions,
        count(distinct end_user_id) as end_users,
        {{ count_people() }} as people,
        cast(sum(keystroke_events) as bigint) as keystroke_events,
        cast(sum(clicks) as bigint) as clicks,
        count(*) filter (where keystroke_events > 0 and led_to_click) as searches_clicked,
        count(*) filter (where keystroke_events > 0 and not led_to_click)
            as searches_not_clicked,
        {{ quantile('ms_to_click', 0.5) }} as median_ms_to_click
    from with_people
    where {{ is_stale('report_date') }}
    group by report_date, system_id, search_term

),

final as (

    select
        ---------- key
        report_date,
        system_id,
        search_term,

        ---------- counts
        searches,
        sessions,
        end_users,
        people,
        keystroke_events,
        clicks,
        searches_clicked,
        searches_not_clicked,

        ---------- rates
        {{ rate('searches_clicked', 'searches') }} as click_rate,
        {{ ms_to_seconds('median_ms_to_click') }} as median_seconds_to_click
    from totals

)

select * from final
