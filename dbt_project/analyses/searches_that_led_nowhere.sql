{% set department = var('department', 'department') -%}
with

people as (

    select
        person_id,
        {{ said_or_unknown(department) }} as department
    from {{ ref('dim_people') }}

),

searches as (

    select * from {{ ref('fct_searches') }}
    where environment = 'production' and searched_at is not null

),

searches_of_people as (

    {{ with_person_ids('searches') }}

),

final as (

    select
        coalesce(people.department, 'unknown') as department,
        searches.search_term,
        count(*) as searches,
        count(*) filter (where not searches.led_to_click) as led_nowhere,
        count(distinct searches.person_id) filter (where not searches.led_to_click) as people,
        {{ rate('count(*) filter (where not searches.led_to_click)', 'count(*)') }}
            as led_nowhere_rate
    from searches_of_people as searches
    left join people
        on searches.person_id = people.person_id
    group by coalesce(people.department, 'unknown'), searches.search_term
    having count(*) filter (where not searches.led_to_click) > 0

)

select * from final
order by led_nowhere desc, department asc, search_term asc
