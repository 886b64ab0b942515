with

item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_item_events') }}
    where environment = 'production' and engagement in ('exposure', 'interaction')

),

sessions as (

    select * from {{ ref('session_people') }}
    where environment = 'production'

),

items_of_sessions as (

    select
        system_id,
        session_id,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        count(*) filter (where engagement = 'interaction') > 0 as is_engaged
    from item_events
    group by system_id, session_id, item_type, item_id, item_name_without_id

),

-- A session that meets no item counts for people all the same.
final as (

    select
        sessions.session_key || coalesce(' ' || items_of_sessions.item_key, '') as use_key,
        sessions.session_key,
        sessions.system_id,
        sessions.person_id,
        sessions.report_date,
        items_of_sessions.item_key,
        coalesce(items_of_sessions.is_engaged, false) as is_engaged
    from sessions
    left join items_of_sessions
        on
            sessions.system_id = items_of_sessions.system_id
            and sessions.session_id = items_of_sessions.session_id

)

select * from final
