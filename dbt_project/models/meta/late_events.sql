with

item_events as (

    select * from {{ ref('fct_item_events') }}

),

final as (

    select
        event_date,
        dump_date,
        count(*) as events,
        {{ days_between('event_date', 'dump_date') }} as days_late
    from item_events
    group by event_date, dump_date

)

select * from final
