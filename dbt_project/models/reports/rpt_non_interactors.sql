with

item_people as (

    select * from {{ ref('int_item_people') }}

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

without_interaction as (

    select
        *,
        item_name_without_id as name_in_events,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key
    from item_people
    where
        interactions = 0
        and item_type in (select usable_types.item_type from usable_types)

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
