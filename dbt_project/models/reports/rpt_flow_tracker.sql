{{ config(meta={'dated_by': ['home_date']}) }}
with

flow_steps as (

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
        flow_steps.step_key,
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
    group by flow_steps.step_key

),

placed as (

    select
        *,
        min(started_at) over (partition by system_id, session_id) as first_step_at
    from flow_steps

),

final as (

    select
        ---------- key
        placed.system_id,
        placed.session_id,
        placed.position_in_session,
        placed.home_date,

        ---------- step
        {{ report_date('placed.started_at') }} as report_date,
        placed.started_at,
        {{
            ms_to_seconds(
                epoch_ms('placed.started_at') ~ ' - ' ~ epoch_ms('placed.first_step_at')
            )
        }} as seconds_since_first_step,
        placed.end_user_id,
        placed.step_key,
        placed.item_type,
        placed.item_id,
        placed.item_name,
        placed.step_kind,
        placed.step_type,
        placed.events,

        ---------- its play
        placed.play_key,
        placed.play_id,
        placed.flow_item_id,
        placed.flow_item_name,
        placed.flow_kind,
        placed.position_in_play,

        ---------- the plays beside it
        coalesce(other_plays.plays_at_the_same_time, 0) as plays_at_the_same_time,
        coalesce(other_plays.visual_plays_at_the_same_time, 0) as visual_plays_at_the_same_time,
        coalesce(other_plays.automation_plays_at_the_same_time, 0)
            as automation_plays_at_the_same_time,
        other_plays.flows_at_the_same_time
    from placed
    left join other_plays
        on placed.step_key = other_plays.step_key

)

select * from final
