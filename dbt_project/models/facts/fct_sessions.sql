{{ config(meta={'dated_by': ['home_date', 'session_date']}) }}
with

item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ epoch_ms('occurred_at') }} as occurred_ms
    from {{ ref('fct_item_events') }}
    where {{ is_stale('home_date') }}

),

sessions as (

    select
        system_id,
        environment,
        session_id,
        min(home_date) as home_date,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        max(occurred_ms) - min(occurred_ms) as duration_ms,
        {{ all_values('occurred_ms') }} as times,
        {{ latest('end_user_id') }} as end_user_id,
        count(distinct end_user_id) as end_users,
        count(*) as events,
        count(*) filter (where engagement = 'exposure') as exposures,
        count(*) filter (where engagement = 'interaction') as interactions,
        count(*) filter (where engagement = 'outcome') as outcomes,
        {{ count_items("engagement = 'exposure'") }} as items_exposed,
        {{ count_items("engagement = 'interaction'") }} as items_interacted,
        count(*) filter (
            where item_type in ('Smart Walk-Thru', 'Walk-Thru') and event = 'Play'
        ) as flows_played,
        count(*) filter (
            where item_type in ('Smart Walk-Thru', 'Walk-Thru') and event = 'Play Failed'
        ) as flows_failed,
        count(*) filter (where item_type = 'Task' and event = 'Complete') as tasks_completed,
        count(*) filter (where item_type = 'Survey' and event = 'Submitted') as surveys_submitted,
        count(*) filter (where item_type = 'WidgetSearch' and event = 'Search') as searches
    from item_events
    group by system_id, environment, session_id

),

with_idle_times as (

    select
        *,
        coalesce({{ longest_gap('times') }}, 0) as longest_idle_ms
    from sessions

),

final as (

    select
        ---------- session
        system_id,
        environment,
        session_id,

        ---------- times
        home_date,
        cast(started_at as date) as session_date,
        started_at,
        ended_at,
        {{ ms_to_seconds('duration_ms') }} as duration_seconds,

        ---------- users
        end_user_id,
        end_users,

        ---------- counts
        events,
        exposures,
        interactions,
        outcomes,
        items_exposed,
        items_interacted,
        interactions > 0 as is_engaged,
        flows_played,
        flows_failed,
        tasks_completed,
        surveys_submitted,
        searches,

        ---------- limits
        {{ ms_to_seconds('longest_idle_ms') }} as longest_idle_seconds,
        longest_idle_ms > {{ var('session_idle_limit_minutes') }} * 60000 as exceeds_idle_limit,
        duration_ms
        > {{ var('session_duration_limit_hours') }} * 3600000 as exceeds_duration_limit
    from with_idle_times

)

select * from final
