{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
{% set order_in_play = ['event_number'] -%}
with

step_events as (

    select
        *,
        -- What belongs together is taken from one event.
        case
            when flow_item_id is not null
                then {{ struct_of(['flow_item_type', 'flow_item_id']) }}
        end as flow
    from {{ ref('int_flow_events') }}
    where
        {{ is_stale('home_date') }}
        and is_step

),

flow_plays as (

    select * from {{ ref('fct_flow_plays') }}
    where {{ is_stale('home_date') }}

),

content_steps as (

    select * from {{ ref('stg_content_steps') }}

),

steps as (

    select
        play_key,
        item_type,
        item_id,
        item_name_without_id,
        min(system_id) as system_id,
        min(environment) as environment,
        {{ first_by('session_id', order_in_play) }} as session_id,
        {{ first_by('end_user_id', order_in_play) }} as end_user_id,
        {{ last_by('item_name', order_in_play) }} as item_name,
        {{ first_by('flow', order_in_play) }} as flow,
        min(home_date) as home_date,
        min(occurred_at) as started_at,
        max(occurred_at) as last_event_at,
        min(event_number) as first_number,
        count(*) as events
    from step_events
    group by play_key, item_type, item_id, item_name_without_id

),

placed as (

    select
        *,
        md5({{ key_text(['play_key', 'item_type', 'item_id', 'item_name_without_id']) }})
            as step_key,
        row_number() over (
            partition by play_key
            order by first_number
        ) as position_in_play,
        lead(started_at) over (
            partition by play_key
            order by first_number
        ) as next_step_at,
        row_number() over (
            partition by system_id, environment, session_id
            order by first_number
        ) as position_in_session
    from steps

),

-- A step that a catalogue lists twice in a flow is still one step.
catalogue_steps as (

    select
        system_id,
        flow_item_type,
        flow_item_id,
        step_id,
        min(step_position) as step_position,
        min(step_kind) as step_kind,
        min(step_type) as step_type,
        max(case when is_terminal_step then 1 when not is_terminal_step then 0 end) = 1
            as is_terminal_step
    from content_steps
    group by system_id, flow_item_type, flow_item_id, step_id

),

final as (

    select
        ---------- step of a play
        placed.step_key,
        placed.play_key,
        flow_plays.play_id,

        ---------- who and where
        placed.system_id,
        placed.environment,
        placed.session_id,
        placed.end_user_id,

        ---------- item
        placed.item_type,
        placed.item_id,
        placed.item_name,
        catalogue_steps.step_position,
        catalogue_steps.step_kind,
        catalogue_steps.step_type,
        catalogue_steps.is_terminal_step,

        ---------- flow
        flow_plays.item_type as flow_item_type,
        flow_plays.item_id as flow_item_id,
        flow_plays.item_name as flow_item_name,
        flow_plays.flow_kind,

        ---------- times
        placed.home_date,
        cast(placed.started_at as date) as event_date,
        placed.started_at,
        placed.last_event_at,
        placed.next_step_at,
        placed.position_in_play,
        placed.position_in_session,
        {{
            ms_to_seconds(
                epoch_ms('placed.started_at') ~ ' - ' ~ epoch_ms('flow_plays.started_at')
            )
        }} as seconds_since_start,
        {{
            ms_to_seconds(
                epoch_ms('placed.next_step_at') ~ ' - ' ~ epoch_ms('placed.started_at')
            )
        }} as seconds_to_next_step,

        ---------- counts
        placed.events
    from placed
    left join flow_plays
        on placed.play_key = flow_plays.play_key
    left join catalogue_steps
        on
            placed.system_id = catalogue_steps.system_id
            and coalesce(placed.flow.flow_item_type, flow_plays.item_type)
            = catalogue_steps.flow_item_type
            and coalesce(placed.flow.flow_item_id, flow_plays.item_id)
            = catalogue_steps.flow_item_id
            and placed.item_id = catalogue_steps.step_id

)

select * from final
