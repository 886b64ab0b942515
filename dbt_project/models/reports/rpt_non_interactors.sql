with

by_home as (

    select * from {{ ref('int_item_users_by_home') }}

),

-- All events of a session have one home, so sessions add up over the homes.
by_user as (

    select
        system_id,
        item_id,
        type_without_id,
        end_user_id,
        {{ last_by('name_without_id', ['last_named_at', 'last_named_key']) }} as name_without_id,
        min(first_exposed_at) as first_exposed_at,
        max(last_exposed_at) as last_exposed_at,
        cast(sum(sessions_exposed) as bigint) as sessions_exposed,
        cast(sum(exposures) as bigint) as exposures
    from by_home
    group by system_id, item_id, type_without_id, end_user_id
    having sum(interactions) = 0

),

items as (

    select * from {{ ref('dim_items') }}

),

named as (

    select
        by_user.*,
        coalesce(by_user.type_without_id, items.item_type) as item_type,
        coalesce(by_user.name_without_id, items.item_name) as item_name
    from by_user
    left join items
        on
            by_user.system_id = items.system_id
            and by_user.item_id = items.item_id

),

final as (

    select
        ---------- key
        system_id,
        item_type,
        item_id,
        end_user_id,

        ---------- item
        item_name,

        ---------- exposures
        exposures,
        sessions_exposed,
        first_exposed_at,
        last_exposed_at
    from named

)

select * from final
