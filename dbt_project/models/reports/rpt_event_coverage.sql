with

events_by_date as (

    select * from {{ ref('int_events_by_report_date') }}

),

event_definitions as (

    select * from {{ ref('dim_event_definitions') }}

),

-- "The last days" end with the last day that has events: the clock would make yesterday's release
-- differ from the same release built today.
last_day as (

    select max(report_date) as last_report_date
    from events_by_date

),

-- A window of n days is the half-open range (last day - n, last day].
totals as (

    select
        events_by_date.item_type,
        events_by_date.event,
        cast(sum(events_by_date.events) as bigint) as events,
        min(events_by_date.first_seen_at) as first_seen_at,
        max(events_by_date.last_seen_at) as last_seen_at,
        cast(
            sum(events_by_date.events) filter (
                where events_by_date.report_date > last_day.last_report_date - 7
            ) as bigint
        ) as events_last_7_days,
        cast(
            sum(events_by_date.events) filter (
                where events_by_date.report_date > last_day.last_report_date - 28
            ) as bigint
        ) as events_last_28_days
    from events_by_date
    cross join last_day
    group by events_by_date.item_type, events_by_date.event

),

final as (

    select
        event_definitions.position,
        event_definitions.item_type,
        event_definitions.event,
        event_definitions.engagement,
        last_day.last_report_date,
        totals.first_seen_at,
        totals.last_seen_at,
        coalesce(totals.events, 0) as events,
        coalesce(totals.events_last_7_days, 0) as events_last_7_days,
        coalesce(totals.events_last_28_days, 0) as events_last_28_days,
        totals.events is null as never_seen
    from event_definitions
    cross join last_day
    left join totals
        on
            event_definitions.item_type = totals.item_type
            and event_definitions.event = totals.event

)

select * from final
