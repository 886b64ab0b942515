with

people as (

    select * from {{ ref('int_people') }}

),

final as (

    select
        sessions.*,
        sessions.system_id || ' ' || sessions.environment || ' ' || sessions.session_id
            as session_key,
        people.person_id,
        {{ report_date('sessions.started_at') }} as report_date
    from {{ ref('fct_sessions') }} as sessions
    left join people
        on sessions.end_user_id = people.end_user_id

)

select * from final
