with

timed_plays as (

    select
        *,
        {{ leading_number('play_id') }} as play_ms
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and play_id is not null

),

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        'play ' || play_id || ' of an event at ' || occurred_at as detail,
        play_ms > {{ epoch_ms('occurred_at') }} as is_violation
    from timed_plays
    where play_ms is not null

)

{{ invariant_result('play_id_is_not_from_the_future', looked_at='looked_at') }}
