with

item_events as (

    select
        *,
        {{ report_date('occurred_at') }} as report_date
    from {{ ref('fct_item_events') }}
    where environment = 'production'

),

event_definitions as (

    select * from {{ ref('dim_event_definitions') }}

),

-- "The last days" end with the last day that has events: the clock would make yesterday's release
-- differ from the same release built today.
last_day as (

    select max(report_date) as last_report_date
    from item_events

),

-- A window of n days is the half-open range (last day - n, last day].
totals as (

    select
        item_events.item_type,
        item_events.event,
        count(*) as events,
        min(item_events.occurred_at) as first_seen_at,
        max(item_events.occurred_at) as last_seen_at,
        count(*) filter (where item_events.report_date > last_day.last_report_date - 7)
            as events_last_7_days,
        count(*) filter (where item_events.report_date > last_day.last_report_date - 28)
            as events_last_28_days
    from item_events
    cross join last_day
    group by item_events.item_type, item_events.event

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
