with

by_home as (

    select * from {{ ref('int_item_users_by_home') }}

),

people as (

    select * from {{ ref('int_people') }}

),

definitions as (

    select * from {{ ref('event_definitions') }}

),

items as (

    select * from {{ ref('dim_items') }}

),

-- Nobody can act on a step of a flow, for example.
usable_types as (

    select distinct item_type
    from definitions
    where engagement = 'interaction'

),

usable_items as (

    select
        by_home.*,
        people.person_id
    from by_home
    left join people
        on by_home.end_user_id = people.end_user_id
    where by_home.item_type in (select usable_types.item_type from usable_types)

),

-- Two ids of one person may have been seen in one session, which counts once.
by_person as (

    select
        system_id,
        item_type,
        item_id,
        item_name_without_id,
        person_id,
        min(first_exposed_at) as first_exposed_at,
        max(last_exposed_at) as last_exposed_at,
        cast(
            coalesce(sum(sessions_exposed) filter (where shared_session_id is null), 0) as bigint
        ) + count(distinct shared_session_id) as sessions_exposed,
        cast(sum(exposures) as bigint) as exposures
    from usable_items
    group by
        system_id,
        item_type,
        item_id,
        item_name_without_id,
        person_id
    having sum(interactions) = 0

),

without_interaction as (

    select
        *,
        item_name_without_id as name_in_events,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key
    from by_person

),

named as (

    {{ with_item_names('without_interaction', 'items') }}

),

final as (

    select
        ---------- key
        system_id,
        item_key,
        person_id,

        ---------- item
        item_type,
        item_id,
        item_name,

        ---------- exposures
        exposures,
        sessions_exposed,
        first_exposed_at,
        last_exposed_at
    from named

)

select * from final
