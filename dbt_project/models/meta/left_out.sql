with

users_by_home as (

    select * from {{ ref('int_users_by_home') }}

),

environments as (

    select * from {{ ref('environments') }}

),

totals as (

    select
        environment,
        cast(sum(events) as bigint) as events,
        cast(sum(sessions) as bigint) as sessions,
        count(distinct end_user_id) as end_users
    from users_by_home
    where environment <> 'production'
    group by environment

),

final as (

    select
        totals.environment,
        totals.events,
        totals.sessions,
        totals.end_users,
        environments.environment is not null as is_known,
        case
            when environments.environment is not null
                then 'reports and sessions count production only'
            else 'no environment that the seed `environments` names'
        end as reason
    from totals
    left join environments
        on totals.environment = environments.environment

)

select * from final
