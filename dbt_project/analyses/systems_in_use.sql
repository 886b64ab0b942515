with

systems as (

    select * from {{ ref('dim_systems') }}

),

bounds as (

    select max(last_seen_at) as last_seen_at
    from systems

),

final as (

    select
        systems.system_name,
        systems.people,
        systems.sessions,
        {{ rate('systems.sessions', 'systems.people') }} as sessions_per_person,
        cast(systems.last_seen_at as date) as last_seen_on,
        {{
            days_between(
                'cast(systems.last_seen_at as date)', 'cast(bounds.last_seen_at as date)'
            )
        }} as days_unused
    from systems
    cross join bounds

)

select * from final
order by people desc, system_name asc
