{{ config(meta={'dated_by': ['home_month'], 'ordered_by': ['end_user_id', 'item_id']}) }}
with

by_home as (

    select * from {{ ref('int_item_users_by_home') }}
    where {{ is_stale('home_month') }}

),

-- All events of a session have one home, so sessions add up over the homes.
by_month as (

    select
        home_month,
        system_id,
        item_type,
        item_id,
        item_name_without_id,
        end_user_id,
        shared_session_id,
        min(first_met_at) as first_met_at,
        min(first_exposed_at) as first_exposed_at,
        max(last_exposed_at) as last_exposed_at,
        cast(sum(sessions_exposed) as bigint) as sessions_exposed,
        cast(sum(exposures) as bigint) as exposures,
        cast(sum(interactions) as bigint) as interactions
    from by_home
    group by
        home_month,
        system_id,
        item_type,
        item_id,
        item_name_without_id,
        end_user_id,
        shared_session_id

)

select * from by_month
