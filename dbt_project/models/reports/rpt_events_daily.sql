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

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

with_people as (

    {{ with_people('item_events', 'people_of_days') }}

),

final as (

    select
        report_date,
        system_id,
        item_type,
        event,
        count(*) as events,
        count(distinct session_id) as sessions,
        count(distinct end_user_id) as end_users,
        {{ count_people() }} as people
    from with_people
    where {{ is_stale('report_date') }}
    group by report_date, system_id, item_type, event

)

select * from final
