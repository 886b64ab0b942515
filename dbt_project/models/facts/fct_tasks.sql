{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

task_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_tasks') }}

),

tasks as (

    select
        {{ session_item_columns() }},
        count(*) filter (where event = 'Play') as plays,
        count(*) filter (where event = 'Complete') as completions,
        min(case when event = 'Play' then occurred_at end) as first_played_at,
        min(case when event = 'Complete' then occurred_at end) as first_completed_at
    from task_events
    group by system_id, environment, session_id, item_id, item_name_without_id

),

final as (

    select
        ---------- key
        md5({{ key_text(session_item_key()) }}) as task_key,

        ---------- who and where
        system_id,
        environment,
        session_id,
        end_user_id,

        ---------- item
        item_id,
        item_name,

        ---------- times
        home_date,
        cast(first_event_at as date) as event_date,
        first_event_at,
        last_event_at,
        first_played_at,
        first_completed_at,

        ---------- counts
        plays,
        completions,
        completions > 0
        and coalesce(first_played_at > first_completed_at, true) as completed_without_play,
        events
    from tasks

)

select * from final
