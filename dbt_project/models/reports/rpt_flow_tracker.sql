{{ config(meta={'dated_by': ['home_date']}) }}
with

flow_steps as {{ read_anew() }} (

    select * from {{ ref('fct_flow_steps') }}
    where
        {{ is_stale('home_date') }}
        and environment = 'production'

),

play_sessions as (

    select * from {{ ref('int_flow_play_sessions') }}
    where
        {{ is_stale('home_date') }}
        and environment = 'production'

),

-- The plays whose first and last event in the session have the step between them.
other_plays as (

    select
        flow_steps.system_id,
        flow_steps.session_id,
        flow_steps.position_in_session,
        count(*) as plays_at_the_same_time,
        count(*) filter (where play_sessions.flow_kind = 'visual')
            as visual_plays_at_the_same_time,
        count(*) filter (where play_sessions.flow_kind = 'automation')
            as automation_plays_at_the_same_time,
        {{
            dbt.listagg(
                "coalesce(play_sessions.item_name, play_sessions.item_id, '?')",
                "', '",
                "order by play_sessions.first_number"
            )
        }} as flows_at_the_same_time
    from flow_steps
    inner join play_sessions
        on
            flow_steps.system_id = play_sessions.system_id
            and flow_steps.session_id = play_sessions.session_id
            and flow_steps.started_at >= play_sessions.started_at
            and flow_steps.started_at <= play_sessions.last_event_at
            and flow_steps.play_key <> play_sessions.play_key
    group by flow_steps.system_id, flow_steps.session_id, flow_steps.position_in_session

),

sessions as (

    select
        system_id,
        session_id,
        min(started_at) as first_step_at
    from flow_steps
    group by system_id, session_id

),

final as (

    select
        ---------- key
        flow_steps.system_id,
        flow_steps.session_id,
        flow_steps.position_in_session,
        flow_steps.home_date,

        ---------- step
        {{ report_date('flow_steps.started_at') }} as report_date,
        flow_steps.started_at,
        {{
            ms_to_seconds(
                epoch_ms('flow_steps.started_at') ~ ' - ' ~ epoch_ms('sessions.first_step_at')
            )
        }} as seconds_since_first_step,
        flow_steps.end_user_id,
        flow_steps.item_type,
        flow_steps.item_id,
        flow_steps.item_name,
        flow_steps.step_kind,
        flow_steps.step_type,
        flow_steps.events,

        ---------- its play
        flow_steps.play_key,
        flow_steps.play_id,
        flow_steps.flow_item_id,
        flow_steps.flow_item_name,
        flow_steps.flow_kind,
        flow_steps.position_in_play,

        ---------- the plays beside it
        coalesce(other_plays.plays_at_the_same_time, 0) as plays_at_the_same_time,
        coalesce(other_plays.visual_plays_at_the_same_time, 0) as visual_plays_at_the_same_time,
        coalesce(other_plays.automation_plays_at_the_same_time, 0)
            as automation_plays_at_the_same_time,
        other_plays.flows_at_the_same_time
    from flow_steps
    left join sessions
        on
            flow_steps.system_id = sessions.system_id
            and flow_steps.session_id = sessions.session_id
    left join other_plays
        on
            flow_steps.system_id = other_plays.system_id
            and flow_steps.session_id = other_plays.session_id
            and flow_steps.position_in_session = other_plays.position_in_session

)

select * from final
