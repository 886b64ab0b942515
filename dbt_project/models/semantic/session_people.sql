with

people as (

    select * from {{ ref('int_people') }}

),

final as (

    select
        sessions.system_id || ' ' || sessions.environment || ' ' || sessions.session_id
            as session_key,
        sessions.system_id,
        sessions.environment,
        sessions.session_id,
        sessions.end_user_id,
        people.person_id,
        {{ report_date('sessions.started_at') }} as report_date,
        sessions.duration_seconds,
        sessions.events,
        sessions.interactions,
        sessions.is_engaged,
        sessions.exceeds_idle_limit,
        sessions.exceeds_duration_limit
    from {{ ref('fct_sessions') }} as sessions
    left join people
        on sessions.end_user_id = people.end_user_id

)

select * from final
