with

-- A session belongs to the user seen last in it, so that nobody counts twice for a log-in.
active_weeks as (

    select
        end_user_id,
        cast(date_trunc('week', {{ report_date('started_at') }}) as date) as week,
        max(case when is_engaged then 1 else 0 end) as is_engaged_week
    from {{ ref('fct_sessions') }}
    where environment = 'production' and end_user_id is not null
    group by end_user_id, week

),

-- Who engages late begins the second of the two counts later than the first.
with_first_weeks as (

    select
        end_user_id,
        week,
        is_engaged_week,
        min(week) over (partition by end_user_id) as first_week,
        min(case when is_engaged_week = 1 then week end) over (partition by end_user_id)
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
        count(*) as returned
    from with_first_weeks
    group by first_week, week

),

engaged_returns as (

    select
        first_engaged_week as first_week,
        week,
        count(*) as returned
    from with_first_weeks
    where is_engaged_week = 1
    group by first_engaged_week, week

),

-- In its first week everybody of a cohort is there, so that its size needs no count of its own.
cohorts as (

    select
        weeks.week as first_week,
        coalesce(returns.returned, 0) as users,
        coalesce(engaged_returns.returned, 0) as engaged_users
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

        ---------- engaged use
        cohorts.engaged_users,
        coalesce(engaged_returns.returned, 0) as engaged_returned,
        {{ rate('coalesce(engaged_returns.returned, 0)', 'cohorts.engaged_users') }}
            as engaged_share
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
