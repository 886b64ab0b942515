{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

smarttip_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        case when event in ('Passed', 'Failed') then lower(event) end as validation_result
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_smarttips') }}

),

smarttips as (

    select
        {{ session_item_columns() }},
        count(*) filter (where event = 'Play') as shown,
        count(*) filter (where event = 'Visible') as hovers,
        count(*) filter (where event = 'Click') as clicks,
        count(*) filter (where event = 'Passed') as passed,
        count(*) filter (where event = 'Failed') as failed,
        {{ first_by('validation_result', event_order()) }} as first_validation_result,
        {{ latest('validation_result') }} as last_validation_result
    from smarttip_events
    group by system_id, environment, session_id, item_id, item_name_without_id

),

final as (

    select
        ---------- key
        md5({{ key_text(session_item_key()) }}) as smarttip_key,

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
