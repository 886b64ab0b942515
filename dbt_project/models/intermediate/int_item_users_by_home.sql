{{ config(meta={'dated_by': ['home_date'], 'ordered_by': ['end_user_id', 'item_id']}) }}
with

item_events as {{ read_anew() }} (

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

shared_sessions as (

    select
        system_id,
        session_id
    from {{ ref('fct_sessions') }}
    where
        {{ is_stale('home_date') }}
        and environment = 'production'
        and end_users > 1

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
        engagement,
        true as is_own
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
        engagement,
        false as is_own
    from item_events
    where
        engagement = 'interaction'
        and whole_type is not null
        and coalesce(parent_item_id, parent_item_name) is not null

),

by_user as (

    select
        used.home_date,
        used.system_id,
        used.item_type,
        used.item_id,
        used.item_name_without_id,
        used.end_user_id,
        shared_sessions.session_id as shared_session_id,
        min(case when used.is_own then used.occurred_at end) as first_met_at,
        min(used.occurred_at) as first_exposed_at,
        max(used.occurred_at) as last_exposed_at,
        count(distinct used.session_id) as sessions_exposed,
        count(*) as exposures,
        count(*) filter (where used.engagement = 'interaction') as interactions
    from exposures_and_interactions as used
    left join shared_sessions
        on
            used.system_id = shared_sessions.system_id
            and used.session_id = shared_sessions.session_id
    group by
        used.home_date,
        used.system_id,
        used.item_type,
        used.item_id,
        used.item_name_without_id,
        used.end_user_id,
        shared_sessions.session_id

),

-- Nearly everybody meets an item itself first, and then that time is not said twice.
final as (

    select
        home_date,
        system_id,
        item_type,
        item_id,
        item_name_without_id,
        end_user_id,
        shared_session_id,
        first_met_at is not null as is_met,
        case when first_met_at > first_exposed_at then first_met_at end as met_later_at,
        first_exposed_at,
        last_exposed_at,
        sessions_exposed,
        exposures,
        interactions
    from by_user

)

select * from final
