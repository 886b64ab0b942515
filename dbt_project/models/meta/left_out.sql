with

sessions as (

    select * from {{ ref('fct_sessions') }}

),

session_users as (

    select * from {{ ref('int_session_users') }}

),

environments as (

    select * from {{ ref('environments') }}

),

-- A session may have events of several users, and events of none.
session_totals as (

    select
        environment,
        cast(sum(events) as bigint) as events,
        count(*) as sessions
    from sessions
    where environment <> 'production'
    group by environment

),

user_totals as (

    select
        environment,
        count(distinct end_user_id) as end_users
    from session_users
    where environment <> 'production'
    group by environment

),

totals as (

    select
        session_totals.environment,
        session_totals.events,
        session_totals.sessions,
        coalesce(user_totals.end_users, 0) as end_users
    from session_totals
    left join user_totals
        on session_totals.environment = user_totals.environment

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
