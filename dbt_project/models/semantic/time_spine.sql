with

bounds as (

    select
        {{ days_from_to('min(report_date)', 'max(report_date)') }} as days
    from {{ ref('int_events_by_report_date') }}

),

final as (

    select cast(unnested_day.day as date) as report_date
    from bounds
    {{ unnested('bounds.days', 'day') }}

)

select * from final
