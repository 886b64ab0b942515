with

by_month as (

    select * from {{ ref('int_item_users_by_month') }}

),

people as (

    select * from {{ ref('int_people') }}

),

-- Two ids of one person may have been seen in one session, which counts once.
by_person as (

    select
        by_month.system_id,
        by_month.item_type,
        by_month.item_id,
        by_month.item_name_without_id,
        people.person_id,
        min(by_month.first_met_at) as first_met_at,
        min(by_month.first_exposed_at) as first_exposed_at,
        max(by_month.last_exposed_at) as last_exposed_at,
        cast(
            coalesce(
                sum(by_month.sessions_exposed) filter (where by_month.shared_session_id is null), 0
            ) as bigint
        ) + count(distinct by_month.shared_session_id) as sessions_exposed,
        cast(sum(by_month.exposures) as bigint) as exposures,
        cast(sum(by_month.interactions) as bigint) as interactions
    from by_month
    left join people
        on by_month.end_user_id = people.end_user_id
    group by
        by_month.system_id,
        by_month.item_type,
        by_month.item_id,
        by_month.item_name_without_id,
        people.person_id

)

select * from by_person
