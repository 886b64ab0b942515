with

visual_plays as (

    select
        *,
        max(last_event_at) over (
            partition by system_id, environment, session_id
            order by started_at, last_event_at, first_number
            rows between unbounded preceding and 1 preceding
        ) as others_last_event_at
    from {{ ref('int_flow_play_sessions') }}
    where
        {{ is_stale('home_date') }}
        and item_type = 'Smart Walk-Thru' and flow_kind = 'visual'

),

-- A flow may begin in the millisecond in which the one before it ends.
looked_at as (

    select
        home_date,
        event_date,
        system_id,
        session_id,
        item_id,
        first_event_key as event_key,
        'began at ' || started_at || ', while another visual flow went on until '
        || others_last_event_at as detail,
        coalesce(started_at < others_last_event_at, false) as is_violation
    from visual_plays

)

{{ invariant_result('one_visual_flow_at_a_time', looked_at='looked_at') }}
