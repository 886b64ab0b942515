{{ config(meta={'dated_by': ['report_date']}) }}
with

events_by_date as (

    select * from {{ ref('int_events_by_report_date') }}
    where {{ is_stale('report_date') }}

),

events_of_several_ids as (

    select * from {{ ref('int_events_of_several_ids') }}
    where {{ is_stale('report_date') }}

),

counted_twice as (

    select
        report_date,
        system_id,
        item_type,
        event,
        {{ ids_beyond_people() }} as ids_beyond_people
    from events_of_several_ids
    group by report_date, system_id, item_type, event

),

final as (

    select
        events_by_date.report_date,
        events_by_date.system_id,
        events_by_date.item_type,
        events_by_date.event,
        events_by_date.events,
        events_by_date.sessions,
        events_by_date.end_users,
        events_by_date.end_users - coalesce(counted_twice.ids_beyond_people, 0) as people
    from events_by_date
    left join counted_twice
        on
            events_by_date.report_date = counted_twice.report_date
            and events_by_date.system_id = counted_twice.system_id
            and events_by_date.item_type = counted_twice.item_type
            and events_by_date.event = counted_twice.event

)

select * from final
