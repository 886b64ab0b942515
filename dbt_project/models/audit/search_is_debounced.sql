with

searches as (

    select
        *,
        {{ epoch_ms('occurred_at') }} - lag({{ epoch_ms('occurred_at') }}) over (
            partition by system_id, environment, session_id
            order by {{ in_event_order() }}
        ) as ms_since_previous
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type = 'WidgetSearch' and event = 'Search'

),

looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        {{ seconds_text(ms_to_seconds('ms_since_previous')) }}
        || ' s after the one before' as detail,
        coalesce(ms_since_previous < {{ var('search_debounce_seconds') }} * 1000, false)
            as is_violation
    from searches

)

{{ invariant_result('search_is_debounced', looked_at='looked_at') }}
