with

looked_at as (

    select
        home_date,
        session_date as event_date,
        system_id,
        session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        environment || ': ' || {{ seconds_text('duration_seconds') }} || ' s, longest idle time '
        || {{ seconds_text('longest_idle_seconds') }} || ' s' as detail,
        exceeds_idle_limit or exceeds_duration_limit as is_violation
    from {{ ref('fct_sessions') }}
    where {{ is_stale('home_date') }}

)

{{ invariant_result('session_within_limits', looked_at='looked_at') }}
