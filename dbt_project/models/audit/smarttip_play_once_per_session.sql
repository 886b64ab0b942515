with

looked_at as (

    select
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        detail,
        is_beyond_cap as is_violation,
        events
    from {{ ref('int_cap_verdicts') }}
    where {{ is_capped_by('smarttip_play_once_per_session') }}

)

{{ invariant_result(
    'smarttip_play_once_per_session',
    looked_at='looked_at',
    rows_behind='events',
) }}
