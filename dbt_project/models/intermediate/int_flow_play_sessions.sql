{{ config(meta={'dated_by': ['home_date']}) }}
with

flow_events as (

    select * from {{ ref('int_flow_events') }}
    where {{ is_stale('home_date') }}

),

flow_plays as (

    select * from {{ ref('fct_flow_plays') }}
    where {{ is_stale('home_date') }}

),

-- A refused start is no time in which the flow ran.
spans as (

    select
        play_key,
        session_id,
        min(occurred_at) as started_at,
        max(occurred_at) as last_event_at,
        min(event_date) as event_date,
        min(home_date) as home_date,
        min(event_number) as first_number,
        {{ first_by('event_key', ['event_number']) }} as first_event_key
    from flow_events
    where event <> 'Play Failed'
    group by play_key, session_id

),

final as (

    select
        flow_plays.system_id,
        flow_plays.environment,
        spans.session_id,
        spans.play_key,
        flow_plays.item_type,
        flow_plays.item_id,
        flow_plays.item_name,
        flow_plays.flow_kind,
        spans.event_date,
        spans.home_date,
        spans.first_number,
        spans.started_at,
        spans.last_event_at,
        spans.first_event_key
    from spans
    left join flow_plays
        on spans.play_key = flow_plays.play_key

)

select * from final
