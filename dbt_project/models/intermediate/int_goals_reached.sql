{% set within_ms = var('goal_days') * 86400000 -%}
with

goals as (

    select * from {{ ref('int_goals') }}

),

flow_fates as (

    select * from {{ ref('int_flow_fates') }}

),

people as (

    select * from {{ ref('int_people') }}

),

completions as (

    select * from {{ ref('fct_tasks') }}
    where environment = 'production' and first_completed_at is not null

),

session_users as (

    select * from {{ ref('int_session_users') }}
    where environment = 'production'

),

ends_of_data as (

    select
        system_id,
        max(last_seen_at) as last_seen_at
    from session_users
    group by system_id

),

first_completions as (

    select
        completions.system_id,
        completions.item_id as task_item_id,
        people.person_id,
        min(completions.first_completed_at) as reached_at
    from completions
    left join people
        on completions.end_user_id = people.end_user_id
    group by completions.system_id, completions.item_id, people.person_id

),

people_and_goals as (

    select
        goals.flow_item_key,
        goals.goal_item_key,
        flow_fates.fate,
        {{ epoch_ms('ends_of_data.last_seen_at') }} - {{ epoch_ms('flow_fates.counted_from') }}
            as known_for_ms,
        {{ epoch_ms('first_completions.reached_at') }} - {{ epoch_ms('flow_fates.counted_from') }}
            as reached_after_ms
    from flow_fates
    inner join goals
        on flow_fates.flow_item_key = goals.flow_item_key
    left join first_completions
        on
            goals.system_id = first_completions.system_id
            and goals.task_item_id = first_completions.task_item_id
            and flow_fates.person_id = first_completions.person_id
    left join ends_of_data
        on goals.system_id = ends_of_data.system_id

),

final as (

    select
        flow_item_key,
        goal_item_key,
        fate,
        count(*) as people,
        count(*) filter (where reached_after_ms < {{ within_ms }}) as people_reached
    from people_and_goals
    where
        known_for_ms >= {{ within_ms }}
        and coalesce(reached_after_ms, 0) >= 0
    group by flow_item_key, goal_item_key, fate

)

select * from final
