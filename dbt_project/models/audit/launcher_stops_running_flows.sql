with

flow_events as (

    select * from {{ ref('int_flow_events') }}
    where {{ is_stale('home_date') }}

),

play_sessions as (

    select * from {{ ref('int_flow_play_sessions') }}
    where {{ is_stale('home_date') }}

),

launcher_starts as (

    select
        play_key,
        system_id,
        environment,
        session_id,
        occurred_at
    from flow_events
    where item_type = 'Smart Walk-Thru' and event = 'Play' and initiator = 'launcher'

),

-- Of several launchers, the first one after the beginning of a play has to stop it.
plays_before_a_launcher as (

    select
        play_sessions.play_key,
        play_sessions.session_id,
        min(play_sessions.event_date) as event_date,
        min(play_sessions.home_date) as home_date,
        min(play_sessions.system_id) as system_id,
        min(play_sessions.item_id) as item_id,
        min(play_sessions.first_event_key) as event_key,
        min(play_sessions.last_event_at) as last_event_at,
        min(launcher_starts.occurred_at) as launcher_started_at
    from play_sessions
    inner join launcher_starts
        on
            play_sessions.system_id = launcher_starts.system_id
            and play_sessions.environment = launcher_starts.environment
            and play_sessions.session_id = launcher_starts.session_id
            and play_sessions.started_at < launcher_starts.occurred_at
            and play_sessions.play_key <> launcher_starts.play_key
    group by play_sessions.play_key, play_sessions.session_id

),

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        'went on until ' || last_event_at || ', after a launcher started a flow at '
        || launcher_started_at as detail,
        last_event_at > launcher_started_at as is_violation
    from plays_before_a_launcher

)

{{ invariant_result('launcher_stops_running_flows', looked_at='looked_at') }}
