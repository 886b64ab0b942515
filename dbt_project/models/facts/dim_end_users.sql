with

item_events as (

    select * from {{ ref('fct_item_events') }}

),

sessions_of_users as (

    select
        end_user_id,
        system_id,
        environment,
        session_id,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        count(*) as events
    from item_events
    where end_user_id is not null
    group by end_user_id, system_id, environment, session_id

),

final as (

    select
        end_user_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        cast(sum(events) as bigint) as events,
        count(*) as sessions,
        count(*) filter (where environment = 'production') as production_sessions,
        count(distinct system_id) as systems
    from sessions_of_users
    group by end_user_id

)

select * from final
