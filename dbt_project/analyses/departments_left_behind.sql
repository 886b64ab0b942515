with

adoption as (

    select * from {{ ref('rpt_adoption_by_attribute') }}
    where attribute = 'department' and item_type is null

),

systems as (

    select * from {{ ref('dim_systems') }}

),

with_system_totals as (

    select
        *,
        sum(people) over (partition by week, system_id) as people_of_system,
        sum(engaged_people) over (partition by week, system_id) as engaged_people_of_system
    from adoption

),

compared as (

    select
        *,
        {{ rate('engaged_people_of_system', 'people_of_system') }} as adoption_rate_of_system
    from with_system_totals

),

final as (

    select
        compared.week,
        systems.system_name,
        compared.attribute_value as department,
        compared.people,
        compared.engaged_people,
        compared.adoption_rate,
        compared.adoption_rate_of_system
    from compared
    left join systems
        on compared.system_id = systems.system_id
    where compared.adoption_rate < compared.adoption_rate_of_system

)

select * from final
order by week desc, system_name asc, department asc
