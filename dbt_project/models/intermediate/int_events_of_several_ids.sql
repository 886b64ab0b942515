{{ config(meta={'dated_by': ['report_date']}) }}
with

item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
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

final as (

    select distinct
        people_of_days.report_date,
        people_of_days.end_user_id,
        people_of_days.person_id,
        item_events.system_id,
        item_events.item_type,
        item_events.item_id,
        item_events.item_name_without_id,
        item_events.event,
        item_events.engagement
    from item_events
    inner join people_of_days
        on
            item_events.report_date = people_of_days.report_date
            and item_events.end_user_id = people_of_days.end_user_id

)

select * from final
