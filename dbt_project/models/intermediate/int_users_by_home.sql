{{ config(meta={'dated_by': ['home_date']}) }}
with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where {{ is_stale('home_date') }}

),

sessions_of_users as (

    select
        home_date,
        end_user_id,
        system_id,
        environment,
        session_id,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        count(*) as events
    from item_events
    where end_user_id is not null
    group by home_date, end_user_id, system_id, environment, session_id

),

-- All events of a session have one home, so sessions add up over the homes.
users_by_home as (

    select
        home_date,
        end_user_id,
        system_id,
        environment,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        cast(sum(events) as bigint) as events,
        count(*) as sessions
    from sessions_of_users
    group by home_date, end_user_id, system_id, environment

)

select * from users_by_home
