{% set department = var('adoption_attributes').get('department', 'cast(null as string)') -%}
{% set latest_session = [
    'last_seen_at', 'system_id', 'environment', 'session_id', 'end_user_id'
] -%}
with

session_users as (

    select * from {{ ref('int_session_users') }}

),

people as (

    select * from {{ ref('int_people') }}

),

-- A session belongs to the person seen last in it, so that nobody counts twice.
sessions as (

    select
        people.person_id,
        sessions.system_id,
        sessions.session_id,
        sessions.is_engaged,
        {{ epoch_ms('sessions.started_at') }} as started_ms,
        {{ epoch_ms('sessions.ended_at') }} - {{ epoch_ms('sessions.started_at') }} as duration_ms
    from {{ ref('fct_sessions') }} as sessions
    left join people
        on sessions.end_user_id = people.end_user_id
    where sessions.environment = 'production'

),

with_pauses as (

    select
        *,
        started_ms - lag(started_ms) over (
            partition by person_id
            order by started_ms, system_id, session_id
        ) as since_last_ms
    from sessions

),

usage_of_people as (

    select
        person_id,
        count(*) as sessions,
        count(*) filter (where is_engaged) as engaged_sessions,
        cast(sum(duration_ms) as bigint) as duration_ms,
        {{ quantile('duration_ms', 0.5) }} as median_duration_ms,
        {{ quantile('since_last_ms', 0.5) }} as median_since_last_ms
    from with_pauses
    group by person_id

),

sightings as (

    select
        people.person_id,
        people.is_anonymous,
        session_users.*
    from session_users
    left join people
        on session_users.end_user_id = people.end_user_id

),

totals as (

    select
        person_id,
        min(case when is_anonymous then 1 else 0 end) = 1 as is_anonymous,
        count(distinct end_user_id) as end_users,
        count(distinct system_id) as systems,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        {{ last_by('user_role', latest_session) }} as user_role,
        {{ last_by('user_type', latest_session) }} as user_type,
        {{ last_by('user_status', latest_session) }} as user_status,
        {{ last_by('user_info', latest_session) }} as user_info,
        {{ last_by('language', latest_session) }} as language,
        {{ last_by('browser', latest_session) }} as browser
    from sightings
    group by person_id

),

final as (

    select
        ---------- person
        totals.person_id,
        totals.is_anonymous,
        totals.end_users,
        totals.systems,

        ---------- times
        totals.first_seen_at,
        totals.last_seen_at,

        ---------- sessions
        coalesce(usage_of_people.sessions, 0) as sessions,
        coalesce(usage_of_people.engaged_sessions, 0) as engaged_sessions,
        {{ rate('usage_of_people.engaged_sessions', 'usage_of_people.sessions') }}
            as engagement_rate,
        {{ ms_to_seconds('coalesce(usage_of_people.duration_ms, 0)') }} as session_seconds,
        {{ rate(ms_to_seconds('usage_of_people.duration_ms'), 'usage_of_people.sessions') }}
            as avg_session_seconds,
        {{ ms_to_seconds('usage_of_people.median_duration_ms') }} as median_session_seconds,
        {{ ms_to_seconds('usage_of_people.median_since_last_ms') }} / 86400
            as median_days_between_sessions,

        ---------- what was last said of them
        totals.user_role,
        totals.user_type,
        totals.user_status,
        totals.user_info,
        totals.language,
        totals.browser,
        {{ said_or_unknown(department) }} as department
    from totals
    left join usage_of_people
        on totals.person_id = usage_of_people.person_id

)

select * from final
