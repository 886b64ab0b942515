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
        {{ latest('item_name') }} as name_in_events,
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
