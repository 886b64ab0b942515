with

users_by_home as (

    select * from {{ ref('int_users_by_home') }}

),

final as (

    select
        end_user_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        cast(sum(events) as bigint) as events,
        cast(sum(sessions) as bigint) as sessions,
        cast(coalesce(sum(sessions) filter (where environment = 'production'), 0) as bigint)
            as production_sessions,
        count(distinct system_id) as systems
    from users_by_home
    group by end_user_id

)

select * from final
