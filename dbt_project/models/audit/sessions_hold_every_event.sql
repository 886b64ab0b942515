with

events_of_sessions as (

    select
        system_id,
        environment,
        session_id,
        count(*) as events
    from {{ ref('fct_item_events') }}
    group by system_id, environment, session_id

),

sessions as (

    select
        system_id,
        environment,
        session_id,
        cast(sum(events) as bigint) as events
    from {{ ref('fct_sessions') }}
    group by system_id, environment, session_id

),

compared as (

    select
        coalesce(events_of_sessions.system_id, sessions.system_id) as system_id,
        coalesce(events_of_sessions.environment, sessions.environment) as environment,
        coalesce(events_of_sessions.session_id, sessions.session_id) as session_id,
        coalesce(events_of_sessions.events, 0) as events,
        coalesce(sessions.events, 0) as events_of_session
    from events_of_sessions
    full outer join sessions
        on
            events_of_sessions.system_id = sessions.system_id
            and events_of_sessions.environment = sessions.environment
            and events_of_sessions.session_id = sessions.session_id

),

looked_at as (

    select
        cast(null as date) as event_date,
        system_id,
        session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        case
            when events <> events_of_session
                then
                    'fct_sessions, ' || environment || ': ' || events_of_session
                    || ' events in the session, ' || events || ' in fct_item_events'
        end as detail,
        events <> events_of_session as is_violation
    from compared

)

{{ invariant_result('sessions_hold_every_event', looked_at='looked_at') }}
