{% set ids = ['end_user_id', 'person_id'] -%}
with

people as (

    select * from {{ ref('int_people') }}

),

-- A session belongs to the user seen last in it, so that nobody counts twice for a log-in.
sessions as (

    select
        sessions.end_user_id,
        people.person_id,
        sessions.is_engaged,
        cast(date_trunc('week', {{ report_date('sessions.started_at') }}) as date) as week
    from {{ ref('fct_sessions') }} as sessions
    left join people
        on sessions.end_user_id = people.end_user_id
    where sessions.environment = 'production' and sessions.end_user_id is not null

),

active_weeks as (

    {% for id in ids -%}
    select
        '{{ id }}' as counted,
        {{ id }} as id,
        week,
        max(case when is_engaged then 1 else 0 end) as is_engaged_week
    from sessions
    group by {{ id }}, week
    {% if not loop.last %}
    union all

    {% endif -%}
    {% endfor %}
),

-- Who engages late begins the second of the two counts later than the first.
with_first_weeks as (

    select
        counted,
        id,
        week,
        is_engaged_week,
        min(week) over (partition by counted, id) as first_week,
        min(case when is_engaged_week = 1 then week end) over (partition by counted, id)
            as first_engaged_week
    from active_weeks

),

calendar as (

    select {{ week_starts('min(week)', 'max(week)') }} as weeks
    from active_weeks

),

weeks as (

    select unnested_week.week
    from calendar
    {{ unnested('calendar.weeks', 'week') }}

),

returns as (

    select
        first_week,
        week,
        count(*) filter (where counted = 'end_user_id') as returned,
        count(*) filter (where counted = 'person_id') as people_returned
    from with_first_weeks
    group by first_week, week

),

engaged_returns as (

    select
        first_engaged_week as first_week,
        week,
        count(*) filter (where counted = 'end_user_id') as returned,
        count(*) filter (where counted = 'person_id') as people_returned
    from with_first_weeks
    where is_engaged_week = 1
    group by first_engaged_week, week

),

-- In its first week everybody of a cohort is there, so that its size needs no count of its own.
cohorts as (

    select
        weeks.week as first_week,
        coalesce(returns.returned, 0) as users,
        coalesce(returns.people_returned, 0) as people,
        coalesce(engaged_returns.returned, 0) as engaged_users,
        coalesce(engaged_returns.people_returned, 0) as engaged_people
    from weeks
    left join returns
        on weeks.week = returns.first_week and weeks.week = returns.week
    left join engaged_returns
        on weeks.week = engaged_returns.first_week and weeks.week = engaged_returns.week

),

final as (

    select
        ---------- key
        cohorts.first_week,
        weeks.week,
        cast({{ days_between('cohorts.first_week', 'weeks.week') }} / 7 as integer)
            as weeks_since_first,

        ---------- any use
        cohorts.users,
        coalesce(returns.returned, 0) as returned,
        {{ rate('coalesce(returns.returned, 0)', 'cohorts.users') }} as share,
        cohorts.people,
        coalesce(returns.people_returned, 0) as people_returned,
        {{ rate('coalesce(returns.people_returned, 0)', 'cohorts.people') }} as people_share,

        ---------- engaged use
        cohorts.engaged_users,
        coalesce(engaged_returns.returned, 0) as engaged_returned,
        {{ rate('coalesce(engaged_returns.returned, 0)', 'cohorts.engaged_users') }}
            as engaged_share,
        cohorts.engaged_people,
        coalesce(engaged_returns.people_returned, 0) as engaged_people_returned,
        {{ rate('coalesce(engaged_returns.people_returned, 0)', 'cohorts.engaged_people') }}
            as engaged_people_share
    from cohorts
    inner join weeks
        on cohorts.first_week <= weeks.week
    left join returns
        on
            cohorts.first_week = returns.first_week
            and weeks.week = returns.week
    left join engaged_returns
        on
            cohorts.first_week = engaged_returns.first_week
            and weeks.week = engaged_returns.week
    where cohorts.users > 0 or cohorts.engaged_users > 0

)

select * from final
