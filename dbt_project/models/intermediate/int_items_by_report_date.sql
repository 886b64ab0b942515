{{ config(meta={'dated_by': ['report_date']}) }}
{% set item = 'report_date, system_id, item_type, item_id, item_name_without_id' -%}
{% set what_they_did -%}
count(*) filter (where engagement = 'exposure') > 0 as is_exposed,
        count(*) filter (where engagement = 'interaction') > 0 as has_interacted
{%- endset -%}
with

-- The parent's columns belong together, so the latest parent is taken as one value.
item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        case
            when coalesce(parent_item_id, parent_item_type, parent_item_name) is not null
                then
                    {{ struct_of(['parent_item_id', 'parent_item_type', 'parent_item_name']) }}
        end as parent,
        environment = 'production' as is_in_production,
        {{ report_date('occurred_at') }} as report_date
    from {{ ref('fct_item_events') }}
    where {{ is_stale('event_date') }}

),

events_of_days as (

    select * from item_events
    where {{ is_stale('report_date') }}

),

met_in_production as (

    select * from events_of_days
    where is_in_production and engagement in ('exposure', 'interaction')

),

-- What each user did and what happened in each session, since telling them apart for every count
-- takes longer.
users as (

    select
        {{ item }},
        end_user_id,
        {{ what_they_did }}
    from met_in_production
    where end_user_id is not null
    group by {{ item }}, end_user_id

),

sessions as (

    select
        {{ item }},
        session_id,
        {{ what_they_did }}
    from met_in_production
    group by {{ item }}, session_id

),

users_and_sessions as (

    select
        {{ item }},
        true as is_user,
        is_exposed,
        has_interacted
    from users

    union all

    select
        {{ item }},
        false as is_user,
        is_exposed,
        has_interacted
    from sessions

),

counted as (

    select
        {{ item }},
        count(*) filter (where is_user) as end_users,
        count(*) filter (where is_user and is_exposed) as end_users_exposed,
        count(*) filter (where is_user and has_interacted) as end_users_interacted,
        count(*) filter (where not is_user) as sessions,
        count(*) filter (where not is_user and is_exposed) as sessions_exposed,
        count(*) filter (where not is_user and has_interacted) as sessions_interacted
    from users_and_sessions
    group by {{ item }}

),

events as (

    select
        {{ item }},
        {{ latest('item_name') }} as item_name,
        {{ latest('parent') }} as parent,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        {{ latest('case when is_in_production then item_name end') }} as name_in_production,
        count(*) filter (where is_in_production) as events,
        count(*) filter (where is_in_production and engagement = 'exposure') as exposures,
        count(*) filter (where is_in_production and engagement = 'interaction') as interactions,
        count(*) filter (where is_in_production and engagement = 'outcome') as outcomes
    from events_of_days
    group by {{ item }}

),

-- What only has outcomes was met by nobody.
final as (

    select
        ---------- key
        events.report_date,
        events.system_id,
        events.item_type,
        events.item_id,
        events.item_name_without_id,

        ---------- all environments
        events.item_name,
        events.parent,
        events.first_seen_at,
        events.last_seen_at,

        ---------- production
        events.name_in_production,
        events.events,
        events.exposures,
        events.interactions,
        events.outcomes,
        coalesce(counted.end_users, 0) as end_users,
        coalesce(counted.end_users_exposed, 0) as end_users_exposed,
        coalesce(counted.end_users_interacted, 0) as end_users_interacted,
        coalesce(counted.sessions, 0) as sessions,
        coalesce(counted.sessions_exposed, 0) as sessions_exposed,
        coalesce(counted.sessions_interacted, 0) as sessions_interacted
    from events
    left join counted
        on
            events.report_date = counted.report_date
            and events.system_id is not distinct from counted.system_id
            and events.item_type is not distinct from counted.item_type
            and events.item_id is not distinct from counted.item_id
            and events.item_name_without_id is not distinct from counted.item_name_without_id

)

select * from final
