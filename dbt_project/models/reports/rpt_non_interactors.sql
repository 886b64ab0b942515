{% set item = 'system_id, item_type, item_id, item_name_without_id' -%}
{% set exposures -%}
min(first_exposed_at) as first_exposed_at,
        max(last_exposed_at) as last_exposed_at,
        cast(sum(exposures) as bigint) as exposures,
        sum(interactions) as interactions
{%- endset -%}
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
by_shared_session as (

    select
        {{ item }},
        person_id,
        case when shared_session_id is null then sum(sessions_exposed) else 1 end
            as sessions_exposed,
        {{ exposures }}
    from usable_items
    group by {{ item }}, person_id, shared_session_id

),

by_person as (

    select
        {{ item }},
        person_id,
        cast(sum(sessions_exposed) as bigint) as sessions_exposed,
        {{ exposures }}
    from by_shared_session
    group by {{ item }}, person_id

),

without_interaction as (

    select
        *,
        item_name_without_id as name_in_events,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key
    from by_person
    where interactions = 0

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
