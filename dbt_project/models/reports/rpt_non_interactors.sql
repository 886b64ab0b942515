with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where environment = 'production' and engagement in ('exposure', 'interaction')

),

-- Who uses a part uses the whole: a click on an action is one on its ShoutOut.
exposures_and_interactions as (

    select
        event_key,
        occurred_at,
        system_id,
        session_id,
        end_user_id,
        item_type,
        item_id,
        item_name,
        engagement
    from item_events

    union all

    select
        event_key,
        occurred_at,
        system_id,
        session_id,
        end_user_id,
        parent_item_type as item_type,
        parent_item_id as item_id,
        parent_item_name as item_name,
        engagement
    from item_events
    where engagement = 'interaction' and parent_item_id is not null

),

-- What has no id is one item per type, as in the other reports.
by_user as (

    select
        system_id,
        item_id,
        case when item_id is null then item_type end as type_without_id,
        end_user_id,
        {{ latest('item_type') }} as item_type,
        {{ latest('item_name') }} as item_name,
        min(occurred_at) as first_exposed_at,
        max(occurred_at) as last_exposed_at,
        count(distinct session_id) as sessions_exposed,
        count(*) as exposures
    from exposures_and_interactions
    group by system_id, item_id, type_without_id, end_user_id
    having count(*) filter (where engagement = 'interaction') = 0

),

items as (

    select * from {{ ref('dim_items') }}

),

final as (

    select
        ---------- key
        by_user.system_id,
        by_user.item_type,
        by_user.item_id,
        by_user.end_user_id,

        ---------- item
        coalesce(items.item_name, by_user.item_name) as item_name,

        ---------- exposures
        by_user.exposures,
        by_user.sessions_exposed,
        by_user.first_exposed_at,
        by_user.last_exposed_at
    from by_user
    left join items
        on
            by_user.system_id = items.system_id
            and by_user.item_id = items.item_id

)

select * from final
