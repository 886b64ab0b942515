with

-- An initiator is known where its code says whether it was the user or the system.
looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        first_event_key as event_key,
        'started by ' || initiator || ' in play ' || coalesce(play_id, play_key) as detail,
        initiator <> 'autostart' as is_violation
    from {{ ref('fct_flow_plays') }}
    where
        {{ is_stale('home_date') }}
        and flow_kind = 'automation' and is_user_initiated is not null

)

{{ invariant_result('automation_started_by_autoplay', looked_at='looked_at') }}
