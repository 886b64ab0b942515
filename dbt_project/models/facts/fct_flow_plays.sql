{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
{% set order_in_play = ['event_number'] -%}
with

flow_events as {{ read_anew() }} (

    select
        *,
        -- What belongs together is taken from one event.
        case
            when flow_item_id is not null
                then {{ struct_of(['flow_item_type', 'flow_item_id']) }}
        end as flow_with_id,
        {{ struct_of(['flow_item_type', 'flow_item_id', 'flow_name_without_id']) }} as flow,
        case
            when initiator is not null
                then {{ struct_of(['initiator', 'initiator_item_id', 'is_user_initiated']) }}
        end as start
    from {{ ref('int_flow_events') }}
    where {{ is_stale('home_date') }}

),

catalogue_flows as (

    select * from {{ ref('int_catalogue_flows') }}

),

content_steps as (

    select * from {{ ref('stg_content_steps') }}

),

-- The flow's own events say which flow it is; where they do not, its steps do.
plays as (

    select
        play_key,
        min(system_id) as system_id,
        min(environment) as environment,
        min(play_id) as play_id,
        min(run) as run,
        {{ first_by('event_key', order_in_play) }} as first_event_key,
        {{ first_by('session_id', order_in_play) }} as session_id,
        {{ last_by('session_id', order_in_play) }} as last_session_id,
        count(distinct session_id) as sessions,
        {{ last_by('end_user_id', order_in_play) }} as end_user_id,
        {{
            first_by(
                'flow',
                ['flow_item_id is null', 'flow_item_name is null', 'is_step'] + order_in_play
            )
        }} as flow,
        {{ last_by('flow_item_name', order_in_play) }} as last_flow_name,
        {{ first_by('start', order_in_play) }} as start,
        min(home_date) as home_date,
        min(occurred_at) as started_at,
        max(occurred_at) as last_event_at,
        count(*) as events,
        count(case when event = 'Play' and not is_step then 1 end) as play_events,
        count(case when event = 'Play Failed' then 1 end) as play_failed_events,
        count(case when is_step then 1 end) as step_plays
    from flow_events
    group by play_key

),

grouped_steps as (

    select
        play_key,
        item_type,
        item_id,
        {{ first_by('flow_with_id', order_in_play) }} as flow_with_id,
        {{ last_by('item_name', order_in_play) }} as item_name,
        min(occurred_at) as first_played_at,
        min(event_number) as first_number,
        max(event_number) as last_number
    from flow_events
    where is_step
    group by play_key, item_type, item_id, item_name_without_id

),

steps_of_plays as (

    select
        *,
        {{ struct_of(['item_id', 'item_name']) }} as step
    from grouped_steps

),

terminal_steps as (

    select distinct
        system_id,
        flow_item_type,
        flow_item_id,
        step_id
    from content_steps
    where is_terminal_step

),

step_totals as (

    select
        steps_of_plays.play_key,
        count(*) as steps_played,
        {{ first_by('steps_of_plays.step', ['steps_of_plays.first_number']) }} as first_step,
        {{ last_by('steps_of_plays.step', ['steps_of_plays.last_number']) }} as last_step,
        min(case when terminal_steps.step_id is not null then steps_of_plays.first_played_at end)
            as completed_at
    from steps_of_plays
    left join plays
        on steps_of_plays.play_key = plays.play_key
    left join terminal_steps
        on
            plays.system_id = terminal_steps.system_id
            and coalesce(steps_of_plays.flow_with_id.flow_item_type, plays.flow.flow_item_type)
            = terminal_steps.flow_item_type
            and coalesce(steps_of_plays.flow_with_id.flow_item_id, plays.flow.flow_item_id)
            = terminal_steps.flow_item_id
            and steps_of_plays.item_id = terminal_steps.step_id
    group by steps_of_plays.play_key

),

launcher_starts as (

    select
        system_id,
        environment,
        session_id,
        occurred_at
    from flow_events
    where item_type = 'Smart Walk-Thru' and event = 'Play' and initiator = 'launcher'

),

-- A launcher that starts a Smart Walk-Thru stops every flow that runs. Nothing is sent for what is
-- stopped, so it is known by its having no event after that. (A launcher's own play always has one
-- that is not before its start.)
stops as (

    select
        plays.play_key,
        min(launcher_starts.occurred_at) as stopped_at
    from plays
    inner join launcher_starts
        on
            plays.system_id = launcher_starts.system_id
            and plays.environment = launcher_starts.environment
            and plays.last_session_id = launcher_starts.session_id
            and plays.last_event_at < launcher_starts.occurred_at
    group by plays.play_key

),

judged as (

    select
        plays.*,
        plays.flow.flow_item_type as item_type,
        plays.flow.flow_item_id as item_id,
        -- A flow without an id is known by its name.
        coalesce(plays.flow.flow_name_without_id, plays.last_flow_name) as item_name,
        plays.start.initiator,
        plays.start.initiator_item_id,
        plays.start.is_user_initiated,
        coalesce(catalogue_flows.flow_kind, 'unknown') as flow_kind,
        coalesce(catalogue_flows.terminal_steps > 0, false) as has_known_end,
        coalesce(step_totals.steps_played, 0) as steps_played,
        step_totals.first_step.item_id as first_step_id,
        step_totals.first_step.item_name as first_step_name,
        step_totals.last_step.item_id as last_step_id,
        step_totals.last_step.item_name as last_step_name,
        step_totals.completed_at,
        stops.stopped_at,
        case
            when plays.play_failed_events > 0 then 'failed'
            when step_totals.completed_at is not null then 'completed'
            when stops.stopped_at is not null then 'stopped_by_launcher'
            else 'left'
        end as result
    from plays
    left join step_totals
        on plays.play_key = step_totals.play_key
    left join stops
        on plays.play_key = stops.play_key
    left join catalogue_flows
        on
            plays.system_id = catalogue_flows.system_id
            and plays.flow.flow_item_type = catalogue_flows.item_type
            and plays.flow.flow_item_id = catalogue_flows.item_id

),

final as (

    select
        ---------- play
        play_key,
        play_id,
        run,
        first_event_key,

        ---------- who and where
        system_id,
        environment,
        session_id,
        end_user_id,
        sessions,

        ---------- item
        item_type,
        item_id,
        item_name,
        flow_kind,
        has_known_end,

        ---------- start
        initiator,
        initiator_item_id,
        is_user_initiated,

        ---------- times
        home_date,
        cast(started_at as date) as event_date,
        started_at,
        last_event_at,
        {{ ms_to_seconds(epoch_ms('last_event_at') ~ ' - ' ~ epoch_ms('started_at')) }}
            as duration_seconds,

        ---------- steps
        steps_played,
        first_step_id,
        first_step_name,
        last_step_id,
        last_step_name,

        ---------- result
        result,
        completed_at,
        case when result = 'stopped_by_launcher' then stopped_at end as stopped_at,

        ---------- counts
        play_events,
        play_failed_events,
        step_plays,
        events
    from judged

)

select * from final
