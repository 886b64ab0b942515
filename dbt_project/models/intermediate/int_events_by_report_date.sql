{{ config(meta={'dated_by': ['report_date']}) }}
with

item_events as (

    select
        *,
        {{ report_date('occurred_at') }} as report_date
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

events_by_report_date as (

    select
        report_date,
        system_id,
        item_type,
        event,
        count(*) as events,
        count(distinct session_id) as sessions,
        count(distinct end_user_id) as end_users,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from item_events
    where {{ is_stale('report_date') }}
    group by report_date, system_id, item_type, event

)

select * from events_by_report_date
