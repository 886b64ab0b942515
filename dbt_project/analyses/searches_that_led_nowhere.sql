{% set department = var('department', "trim(" ~ dbt.split_part('user_info', "';'", 1) ~ ")") -%}
with

item_events as (

    select
        *,
        nullif({{ department }}, '') as department
    from {{ ref('fct_item_events') }}
    where environment = 'production'

),

searches as (

    select * from {{ ref('fct_searches') }}
    where environment = 'production' and searched_at is not null

),

departments as (

    select
        system_id,
        end_user_id,
        {{ latest('department') }} as department
    from item_events
    group by system_id, end_user_id

),

final as (

    select
        coalesce(departments.department, 'unknown') as department,
        searches.search_term,
        count(*) as searches,
        count(*) filter (where not searches.led_to_click) as led_nowhere,
        count(distinct searches.end_user_id) filter (where not searches.led_to_click)
            as end_users,
        {{ rate('count(*) filter (where not searches.led_to_click)', 'count(*)') }}
            as led_nowhere_rate
    from searches
    left join departments
        on
            searches.system_id = departments.system_id
            and searches.end_user_id = departments.end_user_id
    group by coalesce(departments.department, 'unknown'), searches.search_term
    having count(*) filter (where not searches.led_to_click) > 0

)

select * from final
order by led_nowhere desc, department asc, search_term asc
