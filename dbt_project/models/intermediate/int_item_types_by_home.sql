{{ config(meta={'dated_by': ['home_date']}) }}
with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and environment = 'production'
        and engagement in ('exposure', 'interaction')

),

sessions as (

    select
        *,
        cast(date_trunc('week', {{ report_date('started_at') }}) as date) as week
    from {{ ref('fct_sessions') }}
    where
        {{ is_stale('home_date') }}
        and environment = 'production'

),

types_of_sessions as (

    select
        home_date,
        system_id,
        session_id,
        item_type,
        count(*) filter (where engagement = 'interaction') as interactions
    from item_events
    group by home_date, system_id, session_id, item_type

),

by_user as (

    select
        types_of_sessions.home_date,
        sessions.week,
        types_of_sessions.system_id,
        sessions.end_user_id,
        types_of_sessions.item_type,
        count(*) as sessions,
        cast(sum(types_of_sessions.interactions) as bigint) as interactions
    from types_of_sessions
    left join sessions
        on
            types_of_sessions.system_id = sessions.system_id
            and types_of_sessions.session_id = sessions.session_id
    group by
        types_of_sessions.home_date,
        sessions.week,
        types_of_sessions.system_id,
        sessions.end_user_id,
        types_of_sessions.item_type

)

select * from by_user
