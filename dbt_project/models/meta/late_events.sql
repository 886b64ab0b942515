with

accepted_lines as (

    select * from {{ ref('int_accepted_lines') }}

),

final as (

    select
        event_date,
        dump_date,
        cast(sum(lines) as bigint) as events,
        {{ days_between('event_date', 'dump_date') }} as days_late
    from accepted_lines
    group by event_date, dump_date

)

select * from final
