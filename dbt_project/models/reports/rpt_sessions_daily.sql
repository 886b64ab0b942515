with

sessions as (

    select
        *,
        {{ report_date('started_at') }} as report_date,
        {{ epoch_ms('ended_at') }} - {{ epoch_ms('started_at') }} as duration_ms
    from {{ ref('fct_sessions') }}
    where environment = 'production'

),

people as (

    select * from {{ ref('int_people') }}

),

with_first_dates as (

    select
        sessions.*,
        people.person_id,
        min(sessions.report_date) over (partition by sessions.system_id, sessions.end_user_id)
            as first_report_date,
        min(sessions.report_date) over (partition by sessions.system_id, people.person_id)
            as first_report_date_of_person
    from sessions
    left join people
        on sessions.end_user_id = people.end_user_id

),

totals as (

    select
        report_date,
        system_id,
        count(*) as sessions,
        count(distinct end_user_id) as end_users,
        count(distinct end_user_id) filter (where report_date = first_report_date)
            as new_end_users,
        count(distinct person_id) as people,
        count(distinct person_id) filter (where report_date = first_report_date_of_person)
            as new_people,
        count(*) filter (where is_engaged) as engaged_sessions,
        cast(sum(events) as bigint) as events,
        cast(sum(interactions) as bigint) as interactions,
        cast(sum(duration_ms) as bigint) as duration_ms,
        {{ quantile('duration_ms', 0.5) }} as median_duration_ms,
        {{ quantile('duration_ms', 0.9) }} as p90_duration_ms
    from with_first_dates
    group by report_date, system_id

),

final as (

    select
        ---------- key
        report_date,
        system_id,

        ---------- counts
        sessions,
        end_users,
        new_end_users,
        people,
        new_people,
        engaged_sessions,
        {{ rate('engaged_sessions', 'sessions') }} as engagement_rate,
        events,
        interactions,

        ---------- durations
        {{ ms_to_seconds('duration_ms') }} as duration_seconds,
        {{ rate(ms_to_seconds('duration_ms'), 'sessions') }} as avg_duration_seconds,
        {{ ms_to_seconds('median_duration_ms') }} as median_duration_seconds,
        {{ ms_to_seconds('p90_duration_ms') }} as p90_duration_seconds,

        ---------- ratios
        {{ rate('sessions', 'end_users') }} as sessions_per_user,
        {{ rate('sessions', 'people') }} as sessions_per_person,
        {{ rate('events', 'sessions') }} as events_per_session,
        {{ rate('interactions', 'sessions') }} as interactions_per_session
    from totals

)

select * from final
