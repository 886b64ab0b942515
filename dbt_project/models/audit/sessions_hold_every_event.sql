with

-- The events are read once; what each fact should hold follows from these counts.
events_of_sessions as (

    select
        system_id,
        environment,
        session_id,
        item_type,
        event,
        home_date,
        count(*) as events
    from {{ ref('fct_item_events') }}
    where {{ is_stale('home_date') }}
    group by system_id, environment, session_id, item_type, event, home_date

),

expected as (

    {{ events_of_facts('events_of_sessions') }}

),

held as (

    select * from {{ ref('int_held_events') }}
    where {{ is_stale('home_date') }}

),

compared as (

    select
        coalesce(expected.fact, held.fact) as fact,
        coalesce(expected.system_id, held.system_id) as system_id,
        coalesce(expected.environment, held.environment) as environment,
        coalesce(expected.session_id, held.session_id) as session_id,
        coalesce(expected.home_date, held.home_date) as home_date,
        coalesce(expected.events, 0) as expected_events,
        coalesce(held.events, 0) as held_events
    from expected
    full outer join held
        on
            expected.fact = held.fact
            and expected.system_id = held.system_id
            and expected.environment = held.environment
            and expected.session_id = held.session_id
            and expected.home_date = held.home_date

),

looked_at as (

    select
        home_date,
        cast(null as date) as event_date,
        system_id,
        session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        case
            when expected_events <> held_events
                then
                    fact || ', ' || environment || ': ' || held_events
                    || ' events of the session, ' || expected_events || ' in fct_item_events'
        end as detail,
        expected_events <> held_events as is_violation
    from compared

)

{{ invariant_result('sessions_hold_every_event', looked_at='looked_at') }}
