{% set uses = {'people': 'true', 'engaged_people': 'is_engaged'} -%}
{% set measures = {
    'people': ('people', 1),
    'people_7_days': ('people', 7),
    'people_28_days': ('people', 28),
    'engaged_people': ('engaged_people', 1),
    'engaged_people_7_days': ('engaged_people', 7),
    'engaged_people_28_days': ('engaged_people', 28),
} -%}
with

people as (

    select * from {{ ref('int_people') }}

),

systems as (

    select * from {{ ref('dim_systems') }}

),

bounds as (

    select {{ days_from_to('min(report_date)', 'max(report_date)') }} as days
    from {{ ref('int_events_by_report_date') }}

),

-- A session belongs to the person seen last in it, and to the day on which it began.
active_days_of_systems as (

    select
        sessions.system_id,
        people.person_id,
        {{ report_date('sessions.started_at') }} as report_date,
        max(case when sessions.is_engaged then 1 else 0 end) = 1 as is_engaged
    from {{ ref('fct_sessions') }} as sessions
    left join people
        on sessions.end_user_id = people.end_user_id
    where sessions.environment = 'production' and people.person_id is not null
    group by
        sessions.system_id,
        people.person_id,
        {{ report_date('sessions.started_at') }}

),

active_days as (

    select
        system_id,
        person_id,
        report_date,
        is_engaged
    from active_days_of_systems

    union all

    -- Over all systems.
    select
        cast(null as string) as system_id,
        person_id,
        report_date,
        max(case when is_engaged then 1 else 0 end) = 1 as is_engaged
    from active_days_of_systems
    group by person_id, report_date

),

{% for use, condition in uses.items() -%}
days_of_{{ use }} as (

    select
        system_id,
        report_date,
        lag(report_date) over (
            partition by system_id, person_id
            order by report_date
        ) as previous_date,
        lead(report_date) over (
            partition by system_id, person_id
            order by report_date
        ) as next_date
    from active_days
    where {{ condition }}

),

{% endfor -%}
{% for use in uses -%}
{% set gap = days_between('report_date', 'next_date') -%}
-- How many are active on a day, by the days until the next one on which they are: at most 28.
{{ use }}_by_gap as (

    select
        system_id,
        report_date,
        cast(least(coalesce({{ gap }}, 28), 28) as int) as days_until_next,
        count(*) as people
    from days_of_{{ use }}
    group by
        system_id,
        report_date,
        cast(least(coalesce({{ gap }}, 28), 28) as int)

),

{% endfor -%}
-- Somebody active on a day counts from that day on, until so many days are over or, where that is
-- earlier, the next active day takes over.
changes as (

    {% for name, (use, days) in measures.items() -%}
    select
        '{{ name }}' as measure,
        system_id,
        report_date,
        people as change
    from {{ use }}_by_gap

    union all

    select
        '{{ name }}' as measure,
        system_id,
        report_date + least(days_until_next, {{ days }}) as report_date,
        -people as change
    from {{ use }}_by_gap

    {% if not loop.last -%}
    union all

    {% endif -%}
    {% endfor %}
),

changes_by_day as (

    select
        system_id,
        {% for name in measures -%}
        sum(case when measure = '{{ name }}' then change else 0 end) as {{ name }},
        {% endfor -%}
        report_date
    from changes
    group by system_id, report_date

),

arrivals as (

    select
        system_id,
        report_date,
        count(*) filter (where previous_date is null) as new_people,
        count(*) filter (where {{ days_between('previous_date', 'report_date') }} > 28)
            as resurrected_people
    from days_of_people
    group by system_id, report_date

),

days as (

    select cast(unnested_day.day as date) as report_date
    from bounds
    {{ unnested('bounds.days', 'day') }}

),

active_systems as (

    select distinct system_id
    from active_days

),

spine as (

    select
        active_systems.system_id,
        days.report_date
    from active_systems
    cross join days

),

totals as (

    select
        spine.system_id,
        spine.report_date,
        {% for name in measures -%}
        cast(
            sum(coalesce(changes_by_day.{{ name }}, 0)) over (
                partition by spine.system_id
                order by spine.report_date
                rows between unbounded preceding and current row
            ) as bigint
        ) as {{ name }},
        {% endfor -%}
        coalesce(arrivals.new_people, 0) as new_people,
        coalesce(arrivals.resurrected_people, 0) as resurrected_people
    from spine
    left join changes_by_day
        on
            spine.report_date = changes_by_day.report_date
            and spine.system_id is not distinct from changes_by_day.system_id
    left join arrivals
        on
            spine.report_date = arrivals.report_date
            and spine.system_id is not distinct from arrivals.system_id

),

final as (

    select
        ---------- key
        totals.report_date,
        totals.system_id,
        case
            when totals.system_id is null then 'All systems'
            else coalesce(systems.system_name, totals.system_id)
        end as system_name,

        ---------- active
        totals.people,
        totals.people_7_days,
        totals.people_28_days,
        {{ rate('totals.people', 'totals.people_28_days') }} as stickiness,

        ---------- engaged
        totals.engaged_people,
        totals.engaged_people_7_days,
        totals.engaged_people_28_days,
        {{ rate('totals.engaged_people', 'totals.engaged_people_28_days') }}
            as engaged_stickiness,

        ---------- where the people of the day come from
        totals.new_people,
        totals.people - totals.new_people - totals.resurrected_people as returning_people,
        totals.resurrected_people
    from totals
    left join systems
        on totals.system_id = systems.system_id

)

select * from final
