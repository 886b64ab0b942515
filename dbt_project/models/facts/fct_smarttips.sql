{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

smarttip_events as (

    select
        *,
        event in ('Passed', 'Failed') as is_validation,
        -- Within a millisecond a field fails before it passes.
        case event when 'Failed' then 1 when 'Passed' then 2 else 0 end as event_rank
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_smarttips') }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by system_id, environment, session_id, item_id, is_validation
            order by occurred_at, event_rank, event_key
        ) as number_from_first,
        row_number() over (
            partition by system_id, environment, session_id, item_id, is_validation
            order by occurred_at desc, event_rank desc, event_key desc
        ) as number_from_last
    from smarttip_events

),

smarttips as (

    select
        {{ session_item_columns() }},
        count(*) filter (where event = 'Play') as shown,
        count(*) filter (where event = 'Visible') as hovers,
        count(*) filter (where event = 'Click') as clicks,
        count(*) filter (where event = 'Passed') as passed,
        count(*) filter (where event = 'Failed') as failed,
        max(case when is_validation and number_from_first = 1 then lower(event) end)
            as first_validation_result,
        max(case when is_validation and number_from_last = 1 then lower(event) end)
            as last_validation_result
    from numbered
    group by system_id, environment, session_id, item_id

),

final as (

    select
        ---------- key
        md5({{ key_text(['system_id', 'environment', 'session_id', 'item_id']) }}) as smarttip_key,

        ---------- who and where
        system_id,
        environment,
        session_id,
        end_user_id,

        ---------- item
        item_id,
        item_name,

        ---------- times
        home_date,
        cast(first_event_at as date) as event_date,
        first_event_at,
        last_event_at,

        ---------- counts
        shown,
        hovers,
        clicks,
        passed,
        failed,

        ---------- result
        first_validation_result,
        last_validation_result,
        events
    from smarttips

)

select * from final
