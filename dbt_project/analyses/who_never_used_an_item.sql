with

item_events as (

    select
        *,
        {{ item_key('item_type', 'item_id', 'item_name') }} as item_key
    from {{ ref('fct_item_events') }}
    where environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

-- Whoever sent any event of a system is a user of it.
users as (

    select
        system_id,
        end_user_id,
        max(occurred_at) as last_seen_at
    from item_events
    group by system_id, end_user_id

),

usable_items as (

    select
        item_key,
        system_id,
        item_type,
        item_id,
        {{ latest('item_name') }} as name_in_events
    from item_events
    where engagement in ('exposure', 'interaction')
    group by item_key, system_id, item_type, item_id

),

engagements as (

    select
        item_key,
        end_user_id,
        count(*) filter (where engagement = 'exposure') as exposures,
        count(*) filter (where engagement = 'interaction') as interactions
    from item_events
    group by item_key, end_user_id

),

non_users as (

    select
        usable_items.item_key,
        usable_items.system_id,
        usable_items.item_type,
        usable_items.item_id,
        usable_items.name_in_events,
        users.end_user_id,
        coalesce(engagements.exposures, 0) as exposures,
        users.last_seen_at
    from usable_items
    inner join users
        on usable_items.system_id = users.system_id
    left join engagements
        on
            usable_items.item_key = engagements.item_key
            and users.end_user_id = engagements.end_user_id
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
        end_user_id,
        exposures > 0 as was_exposed,
        exposures,
        last_seen_at
    from named

)

select * from final
order by system_id, item_type, item_id, item_name, end_user_id
