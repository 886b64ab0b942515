with

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        first_event_key as event_key,
        'Play Failed, and ' || steps_played || ' steps played in play '
        || coalesce(play_id, play_key) as detail,
        steps_played > 0 as is_violation
    from {{ ref('fct_flow_plays') }}
    where
        {{ is_stale('home_date') }}
        and play_failed_events > 0

)

{{ invariant_result('play_failed_did_not_play', looked_at='looked_at') }}
