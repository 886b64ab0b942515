{{ config(meta={'digested_by': ['report_date']}) }}
with

session_users as (

    select * from {{ ref('int_session_users') }}
    where environment = 'production'

),

people as (

    select * from {{ ref('int_people') }}

),

people_with_several_ids as (

    select person_id
    from people
    group by person_id
    having count(*) > 1

),

-- What an id did is counted on a day from the session's home to the last event of the id. (A play
-- of a flow counts on the day it began, perhaps in an earlier session of the same home.)
sightings as (

    select
        session_users.end_user_id,
        people.person_id,
        {{
            days_from_to(
                report_date('cast(session_users.home_date as timestamp)'),
                report_date('session_users.last_seen_at')
            )
        }} as days
    from session_users
    left join people
        on session_users.end_user_id = people.end_user_id
    where
        people.person_id in (
            select people_with_several_ids.person_id from people_with_several_ids
        )

),

ids_of_days as (

    select distinct
        cast(unnested_day.day as date) as report_date,
        sightings.end_user_id,
        sightings.person_id
    from sightings
    {{ unnested('sightings.days', 'day') }}

),

with_ids_of_person as (

    select
        *,
        count(*) over (partition by report_date, person_id) as ids_of_person
    from ids_of_days

),

final as (

    select
        report_date,
        end_user_id,
        person_id
    from with_ids_of_person
    where ids_of_person > 1

)

select * from final
