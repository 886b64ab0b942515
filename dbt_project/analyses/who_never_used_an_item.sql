with

item_events as (

    select
        *,
        {{ item_key('item_type', 'item_id', 'item_name') }} as item_key
    from {{ ref('fct_item_events') }}
    where environment = 'production'

),

events_of_people as (

    {{ with_person_ids('item_events') }}

),

definitions as (

    select * from {{ ref('dim_event_definitions') }}

),

items as (

    select * from {{ ref('dim_items') }}

),

-- Whoever sent any event of a system is a user of it.
users as (

    select
        system_id,
        person_id,
        max(occurred_at) as last_seen_at
    from events_of_people
    group by system_id, person_id

),

-- Nobody can act on a step of a flow, for example.
usable_types as (

    select distinct item_type
    from definitions
    where engagement = 'interaction'

),

usable_items as (

    select
        item_key,
        system_id,
        item_type,
        item_id,
        {{ latest('item_name') }} as name_in_events
    from item_events
    where
        engagement in ('exposure', 'interaction')
        and item_type in (select usable_types.item_type from usable_types)
    group by item_key, system_id, item_type, item_id

),

engagements as (

    select
        item_key,
        person_id,
        count(*) filter (where engagement = 'exposure') as exposures,
        count(*) filter (where engagement = 'interaction') as interactions
    from events_of_people
    group by item_key, person_id

),

non_users as (

    select
        usable_items.item_key,
        usable_items.system_id,
        usable_items.item_type,
        usable_items.item_id,
        usable_items.name_in_events,
        users.person_id,
        coalesce(engagements.exposures, 0) as exposures,
        users.last_seen_at
    from usable_items
    inner join users
        on usable_items.system_id = users.system_id
    left join engagements
        on
            usable_items.item_key = engagements.item_key
            and users.person_id = engagements.person_id
    where coalesce(engagements.interactions, 0) = 0

),

named as (

    {{ with_item_names('non_users', 'items') }}

),

final as (

    select
        system_id,
        item_type,
        item_id,
        item_name,
        person_id,
        exposures > 0 as was_exposed,
        exposures,
        last_seen_at
    from named

)

select * from final
order by system_id, item_type, item_id, item_name, person_id
