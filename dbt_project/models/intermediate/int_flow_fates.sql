with

goals as (

    select * from {{ ref('int_goals') }}

),

people as (

    select * from {{ ref('int_people') }}

),

flow_plays as (

    select * from {{ ref('fct_flow_plays') }}
    where environment = 'production'

),

session_users as (

    select * from {{ ref('int_session_users') }}
    where environment = 'production'

),

flows as (

    select distinct
        flow_item_key,
        system_id,
        flow_item_type,
        flow_item_id
    from goals

),

plays as (

    select
        flows.flow_item_key,
        people.person_id,
        flow_plays.play_key,
        flow_plays.started_at,
        flow_plays.result
    from flow_plays
    inner join flows
        on
            flow_plays.system_id = flows.system_id
            and flow_plays.item_type = flows.flow_item_type
            and flow_plays.item_id = flows.flow_item_id
    left join people
        on flow_plays.end_user_id = people.end_user_id

),

-- The first play that did not fail says what became of the flow with a person.
people_of_flows as (

    select
        flow_item_key,
        person_id,
        min(case when result <> 'failed' then started_at end) as counted_from,
        {{
            first_by(
                "case when result <> 'failed' then result end", ['started_at', 'play_key']
            )
        }} as result
    from plays
    group by flow_item_key, person_id

),

shown as (

    select
        flow_item_key,
        person_id,
        case result when 'stopped_by_launcher' then 'stopped' else result end as fate,
        counted_from
    from people_of_flows
    where result is not null

),

first_days as (

    select
        flows.flow_item_key,
        flows.system_id,
        min(cast(shown.counted_from as date)) as first_day
    from flows
    inner join shown
        on flows.flow_item_key = shown.flow_item_key
    group by flows.flow_item_key, flows.system_id

),

days_of_people as (

    select
        session_users.system_id,
        people.person_id,
        cast(session_users.first_seen_at as date) as day_seen,
        min(session_users.first_seen_at) as first_seen_at
    from session_users
    left join people
        on session_users.end_user_id = people.end_user_id
    group by
        session_users.system_id,
        people.person_id,
        cast(session_users.first_seen_at as date)

),

-- Many flows share their first day, so people are looked for once for each such day.
starts as (

    select distinct
        system_id,
        first_day
    from first_days

),

with_previous_days as (

    select
        *,
        lag(day_seen) over (
            partition by system_id, person_id
            order by day_seen
        ) as previous_day
    from days_of_people

),

-- Everybody who was there on that day or later, once: on the first of these days.
people_since as (

    select
        starts.system_id,
        starts.first_day,
        with_previous_days.person_id,
        with_previous_days.first_seen_at
    from with_previous_days
    inner join starts
        on
            with_previous_days.system_id = starts.system_id
            and with_previous_days.day_seen >= starts.first_day
            and (
                with_previous_days.previous_day is null
                or with_previous_days.previous_day < starts.first_day
            )

),

-- Who was never shown a flow counts from the first day on which they could have been.
never_shown as (

    select
        first_days.flow_item_key,
        people_since.person_id,
        'never_shown' as fate,
        people_since.first_seen_at as counted_from
    from people_since
    inner join first_days
        on
            people_since.system_id = first_days.system_id
            and people_since.first_day = first_days.first_day
    left join people_of_flows
        on
            first_days.flow_item_key = people_of_flows.flow_item_key
            and people_since.person_id = people_of_flows.person_id
    where people_of_flows.person_id is null

),

final as (

    select * from shown

    union all

    select * from never_shown

)

select * from final
