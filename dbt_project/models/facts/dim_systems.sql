with

sessions as (

    select * from {{ ref('fct_sessions') }}

),

session_users as (

    select * from {{ ref('int_session_users') }}

),

people as (

    select * from {{ ref('int_people') }}

),

hosts_by_date as (

    select * from {{ ref('int_hosts_by_date') }}

),

items as (

    select * from {{ ref('dim_items') }}

),

named_systems as (

    select * from {{ ref('systems') }}

),

system_ids as (

    select system_id from sessions

    union

    select system_id from items

    union

    select system_id from named_systems

),

session_totals as (

    select
        system_id,
        min(started_at) as first_seen_at,
        max(ended_at) as last_seen_at,
        cast(sum(events) as bigint) as events,
        count(*) as sessions
    from sessions
    group by system_id

),

user_totals as (

    select
        session_users.system_id,
        count(distinct session_users.end_user_id) as end_users,
        count(distinct people.person_id) as people
    from session_users
    left join people
        on session_users.end_user_id = people.end_user_id
    group by session_users.system_id

),

hosts as (

    select
        system_id,
        page_host,
        -cast(sum(events) as bigint) as fewer_events
    from hosts_by_date
    group by system_id, page_host

),

main_hosts as (

    select
        system_id,
        {{ first_by('page_host', ['fewer_events', 'page_host']) }} as page_host
    from hosts
    group by system_id

),

final as (

    select
        ---------- system
        system_ids.system_id,
        coalesce(named_systems.system_name, main_hosts.page_host, system_ids.system_id)
            as system_name,
        main_hosts.page_host as main_host,

        ---------- times
        session_totals.first_seen_at,
        session_totals.last_seen_at,

        ---------- counts
        coalesce(session_totals.events, 0) as events,
        coalesce(session_totals.sessions, 0) as sessions,
        coalesce(user_totals.end_users, 0) as end_users,
        coalesce(user_totals.people, 0) as people
    from system_ids
    left join named_systems
        on system_ids.system_id = named_systems.system_id
    left join main_hosts
        on system_ids.system_id = main_hosts.system_id
    left join session_totals
        on system_ids.system_id = session_totals.system_id
    left join user_totals
        on system_ids.system_id = user_totals.system_id

)

select * from final
