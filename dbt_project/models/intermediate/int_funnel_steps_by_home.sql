{{ config(meta={'dated_by': ['home_date']}) }}
with

flow_plays as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_flow_plays') }}
    where
        {{ is_stale('home_date') }}
        and environment = 'production'
        and result <> 'failed'

),

flow_steps as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ epoch_ms('next_step_at') }} - {{ epoch_ms('started_at') }} as step_ms
    from {{ ref('fct_flow_steps') }}
    where {{ is_stale('home_date') }}

),

steps_of_plays as (

    select
        flow_plays.home_date,
        flow_plays.system_id,
        flow_plays.item_type as flow_item_type,
        flow_plays.item_id as flow_item_id,
        flow_plays.item_name_without_id as flow_name_without_id,
        flow_plays.flow_kind,
        flow_plays.result,
        flow_steps.item_type,
        flow_steps.item_id,
        flow_steps.item_name_without_id,
        flow_steps.next_step_at,
        flow_steps.step_ms,
        flow_steps.position_in_play,
        flow_steps.step_position,
        flow_steps.step_kind
    from flow_plays
    inner join flow_steps
        on flow_plays.play_key = flow_steps.play_key

),

by_home as (

    select
        home_date,
        system_id,
        flow_item_type,
        flow_item_id,
        flow_name_without_id,
        item_type,
        item_id,
        item_name_without_id,
        min(flow_kind) as flow_kind,
        min(step_position) as step_position,
        min(step_kind) as step_kind,
        {{ all_values('position_in_play') }} as positions,
        {{ all_values('step_ms') }} as step_ms,
        count(*) as plays_reached,
        count(*) filter (where next_step_at is not null) as plays_went_on,
        count(*) filter (where next_step_at is null and result = 'completed')
            as plays_completed_here,
        count(*) filter (where next_step_at is null and result <> 'completed')
            as plays_dropped_off
    from steps_of_plays
    group by
        home_date,
        system_id,
        flow_item_type,
        flow_item_id,
        flow_name_without_id,
        item_type,
        item_id,
        item_name_without_id

)

select * from by_home
