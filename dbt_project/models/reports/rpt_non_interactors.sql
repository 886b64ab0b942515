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
        {{ last_by('item_type', ['last_exposed_at', 'last_event_key']) }} as item_type,
        {{ last_by('item_name', ['last_named_at', 'last_named_key']) }} as name_in_events,
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

    {{ with_item_names('by_user', 'items') }}

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
