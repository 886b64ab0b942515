{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

launcher_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_launchers') }}

),

launchers as (

    select
        {{ session_item_columns() }},
        count(*) filter (where event = 'Play') as shown,
        count(*) filter (where event = 'Click') as clicks
    from launcher_events
    group by system_id, environment, session_id, item_id, item_name_without_id

),

final as (

    select
        ---------- key
        md5({{ key_text(session_item_key()) }}) as launcher_key,

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
        clicks,
        events
    from launchers

)

select * from final
