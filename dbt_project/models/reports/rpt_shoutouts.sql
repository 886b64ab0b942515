{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

shoutouts as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('first_event_at') }} as report_date
    from {{ ref('fct_shoutouts') }}
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

    {{ with_people('shoutouts', 'people_of_days') }}

),

totals as (

    select
        {{ daily_item_columns('ShoutOut') }},
        cast(sum(shown) as bigint) as shown,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(closes) as bigint) as closes,
        cast(sum(action_clicks) as bigint) as action_clicks,
        cast(sum(action_closes) as bigint) as action_closes,
        count(*) filter (where result = 'clicked') as sessions_clicked,
        count(*) filter (where result = 'snoozed') as sessions_snoozed,
        count(*) filter (where result = 'dismissed') as sessions_dismissed,
        count(*) filter (where result = 'ignored') as sessions_ignored
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
        shown,
        clicks,
        closes,
        action_clicks,
        action_closes,

        ---------- results
        sessions_clicked,
        sessions_snoozed,
        sessions_dismissed,
        sessions_ignored,
        {{ rate('sessions_clicked', 'sessions') }} as click_rate,
        {{ rate('sessions_snoozed', 'sessions') }} as snooze_rate,
        {{ rate('sessions_dismissed', 'sessions') }} as dismissal_rate
    from named

)

select * from final
