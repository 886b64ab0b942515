with

item_events as (

    select
        *,
        case when item_id is null then item_type end as type_without_id
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
        system_id,
        item_id,
        type_without_id,
        {{ latest('item_type') }} as item_type,
        {{ latest('item_name') }} as name_in_events
    from item_events
    where engagement in ('exposure', 'interaction')
    group by system_id, item_id, type_without_id

),

engagements as (

    select
        system_id,
        item_id,
        type_without_id,
        end_user_id,
        count(*) filter (where engagement = 'exposure') as exposures,
        count(*) filter (where engagement = 'interaction') as interactions
    from item_events
    group by system_id, item_id, type_without_id, end_user_id

),

non_users as (

    select
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
            usable_items.system_id = engagements.system_id
            and usable_items.item_id is not distinct from engagements.item_id
            and usable_items.type_without_id is not distinct from engagements.type_without_id
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
order by system_id, item_type, item_id, end_user_id
