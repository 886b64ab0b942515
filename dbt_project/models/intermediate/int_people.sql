with

session_users as (

    select * from {{ ref('int_session_users') }}

),

-- What any event says of an id holds for all of it, and that it is a known one goes first.
ids as (

    select
        end_user_id,
        sum(anonymous_events) > 0 and sum(known_events) = 0 as is_anonymous
    from session_users
    group by end_user_id

),

shared_sessions as (

    select
        session_users.system_id,
        session_users.environment,
        session_users.session_id,
        session_users.end_user_id,
        session_users.first_seen_at,
        session_users.last_seen_at,
        ids.is_anonymous
    from session_users
    left join ids
        on session_users.end_user_id = ids.end_user_id
    where session_users.session_end_users > 1

),

-- Each anonymous id with the known ones that it was seen anonymous.
log_ins as (

    select
        anonymous.end_user_id,
        known.end_user_id as known_id
    from shared_sessions as anonymous
    inner join shared_sessions as known
        on
            anonymous.system_id = known.system_id
            and anonymous.environment = known.environment
            and anonymous.session_id = known.session_id
            and anonymous.first_seen_at <= known.last_seen_at
    where anonymous.is_anonymous and not known.is_anonymous

),

owners as (

    select
        end_user_id,
        min(known_id) as person_id
    from log_ins
    group by end_user_id
    having min(known_id) = max(known_id)

),

final as (

    select
        ids.end_user_id,
        coalesce(owners.person_id, ids.end_user_id) as person_id,
        ids.is_anonymous
    from ids
    left join owners
        on ids.end_user_id = owners.end_user_id

)

select * from final
