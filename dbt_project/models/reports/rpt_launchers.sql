{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

launchers as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('first_event_at') }} as report_date
    from {{ ref('fct_launchers') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

with_people as (

    {{ with_people('launchers', 'people_of_days') }}

),

totals as (

    select
        {{ daily_item_columns('Launcher') }},
        count(distinct end_user_id) filter (where clicks > 0) as end_users_clicked,
        {{ count_people('clicks > 0') }} as people_clicked,
        cast(sum(shown) as bigint) as shown,
        cast(sum(clicks) as bigint) as clicks,
        count(*) filter (where shown > 0) as sessions_shown,
        count(*) filter (where clicks > 0) as sessions_clicked
    from with_people
    where {{ is_stale('report_date') }}
    group by report_date, system_id, item_id, item_name_without_id

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        ---------- key
        report_date,
        system_id,
        item_key,

        ---------- item
        item_id,
        item_name,
        name_in_events,

        ---------- counts
        sessions,
        end_users,
        people,
        end_users_clicked,
        people_clicked,
        shown,
        clicks,
        sessions_shown,
        sessions_clicked,

        ---------- rates
        {{ rate('sessions_clicked', 'sessions') }} as click_rate
    from named

)

select * from final
