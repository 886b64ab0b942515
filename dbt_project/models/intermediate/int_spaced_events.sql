with

capped_events as (

    select * from {{ ref('int_capped_events') }}
    where cap_hours is not null

),

compared as (

    select
        *,
        {{ epoch_ms('occurred_at') }} - lag({{ epoch_ms('occurred_at') }}) over (
            partition by item_type, event, system_id, environment, end_user_id
            order by {{ in_event_order() }}
        ) as ms_since_previous
    from capped_events

),

judged as (

    select
        event_key,
        occurred_at,
        event_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_type,
        event,
        item_id,
        item_name,
        coalesce(ms_since_previous < cap_hours * 3600000, false) as is_beyond_cap,
        'user ' || end_user_id || ', '
        || {{ seconds_text(ms_to_seconds('ms_since_previous')) }}
        || ' s after the one before' as detail,
        events
    from compared

)

select * from judged
