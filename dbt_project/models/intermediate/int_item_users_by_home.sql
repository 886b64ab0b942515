{{ config(meta={'dated_by': ['home_date', 'home_month']}) }}
with

item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        coalesce({{ type_of_whole() }}, parent_item_type) as whole_type
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and environment = 'production'
        and engagement in ('exposure', 'interaction')

),

-- Who uses a part uses the whole: a click on an action is one on its ShoutOut.
exposures_and_interactions as (

    select
        home_date,
        occurred_at,
        system_id,
        session_id,
        end_user_id,
        item_type,
        item_id,
        item_name_without_id,
        engagement
    from item_events

    union all

    select
        home_date,
        occurred_at,
        system_id,
        session_id,
        end_user_id,
        whole_type as item_type,
        parent_item_id as item_id,
        {{ name_without_id('parent_item_id', 'parent_item_name') }} as item_name_without_id,
        engagement
    from item_events
    where
        engagement = 'interaction'
        and whole_type is not null
        and coalesce(parent_item_id, parent_item_name) is not null

),

by_user as (

    select
        home_date,
        cast(date_trunc('month', home_date) as date) as home_month,
        system_id,
        item_type,
        item_id,
        item_name_without_id,
        end_user_id,
        min(occurred_at) as first_exposed_at,
        max(occurred_at) as last_exposed_at,
        count(distinct session_id) as sessions_exposed,
        count(*) as exposures,
        count(*) filter (where engagement = 'interaction') as interactions
    from exposures_and_interactions
    group by home_date, system_id, item_type, item_id, item_name_without_id, end_user_id

)

select * from by_user
