{% set department = var('department', 'department') -%}
with

people as (

    select
        sessions,
        median_days_between_sessions,
        {{ said_or_unknown(department) }} as department
    from {{ ref('dim_people') }}
    where sessions > 0

),

final as (

    select
        department,
        count(*) as people,
        count(*) filter (where sessions > 1) as people_who_came_back,
        {{ rate('count(*) filter (where sessions > 1)', 'count(*)') }} as comeback_rate,
        cast(sum(sessions) as bigint) as sessions,
        {{ quantile('median_days_between_sessions', 0.5) }} as median_days_between_sessions
    from people
    group by department

)

select * from final
order by comeback_rate desc, people desc, department asc
