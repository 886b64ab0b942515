with

uses as (

    select distinct
        system_id,
        person_id,
        item_key,
        report_date
    from {{ ref('people_of_items') }}
    where person_id is not null

),

days as (

    select * from {{ ref('time_spine') }}

),

with_next_dates as (

    select
        *,
        lead(report_date) over (
            partition by system_id, person_id, item_key
            order by report_date
        ) as next_date
    from uses

),

-- A use is in the 28 days up to a day until they are over, or the next use takes over.
final as (

    select
        days.report_date,
        uses.system_id,
        uses.person_id,
        uses.item_key,
        days.report_date = uses.report_date as is_active,
        uses.person_id || ' ' || cast(days.report_date as {{ dbt.type_string() }}) as day_of_person
    from with_next_dates as uses
    inner join days
        on
            uses.report_date <= days.report_date
            and days.report_date < uses.report_date + 28
            and (uses.next_date is null or uses.next_date > days.report_date)

)

select * from final
