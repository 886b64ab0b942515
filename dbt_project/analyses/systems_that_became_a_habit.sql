with

active_people as (

    select * from {{ ref('rpt_active_people') }}

),

bounds as (

    select max(report_date) as last_date
    from active_people

),

-- The days of the last four weeks on which anybody was active in the four weeks before.
last_days as (

    select active_people.*
    from active_people
    cross join bounds
    where
        {{ days_between('active_people.report_date', 'bounds.last_date') }} < 28
        and active_people.people_28_days > 0

),

final as (

    select
        system_id,
        min(system_name) as system_name,
        count(*) as days,
        {{ rate('sum(people)', 'sum(people_28_days)') }} as stickiness,
        {{ rate('sum(engaged_people)', 'sum(engaged_people_28_days)') }} as engaged_stickiness,
        cast(sum(new_people) as bigint) as new_people,
        cast(sum(resurrected_people) as bigint) as resurrected_people
    from last_days
    group by system_id

)

select * from final
order by stickiness desc, system_id asc nulls first
