with

session_users as (

    select * from {{ ref('int_session_users') }}

),

people as (

    select * from {{ ref('int_people') }}

),

totals as (

    select
        end_user_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        cast(sum(events) as bigint) as events,
        count(*) as sessions,
        count(*) filter (where environment = 'production') as production_sessions,
        count(distinct system_id) as systems
    from session_users
    group by end_user_id

),

final as (

    select
        totals.end_user_id,
        people.person_id,
        people.is_anonymous,
        totals.first_seen_at,
        totals.last_seen_at,
        totals.events,
        totals.sessions,
        totals.production_sessions,
        totals.systems
    from totals
    left join people
        on totals.end_user_id = people.end_user_id

)

select * from final
