{% set reports = reports_with_people() -%}
with

end_users as (

    select * from {{ ref('dim_end_users') }}

),

people as (

    select * from {{ ref('dim_people') }}

),

active_people as (

    select * from {{ ref('rpt_active_people') }}

),

adoption as (

    select * from {{ ref('rpt_adoption_by_attribute') }}

),

session_totals as (

    select count(*) as sessions
    from {{ ref('fct_sessions') }}
    where environment = 'production'

),

ids_of_people as (

    select
        person_id,
        count(*) as end_users
    from end_users
    group by person_id

),

-- What is compared, and what should be alike: ids, people, days, reports and sessions.
compared as (

    select
        cast(null as date) as report_date,
        cast(null as string) as system_id,
        'dim_people: ids of one person' as what,
        coalesce(people.end_users, 0) as found,
        coalesce(ids_of_people.end_users, 0) as expected
    from people
    full outer join ids_of_people
        on people.person_id = ids_of_people.person_id

    union all

    select
        cast(null as date) as report_date,
        cast(null as string) as system_id,
        'dim_people: sessions in production' as what,
        (select coalesce(sum(people.sessions), 0) from people) as found,
        (select session_totals.sessions from session_totals) as expected

    union all

    select
        cast(null as date) as report_date,
        cast(null as string) as system_id,
        'rpt_active_people: new people over all systems' as what,
        (
            select coalesce(sum(active_people.new_people), 0)
            from active_people
            where active_people.system_id is null
        ) as found,
        (
            select count(*)
            from people
            where people.sessions > 0
        ) as expected

    union all

    -- The people of a day are among those of 7 days, and these among those of 28.
    select
        report_date,
        system_id,
        'rpt_active_people: people of 28 days' as what,
        people_28_days as found,
        greatest(people, people_7_days, engaged_people_28_days, people_28_days) as expected
    from active_people

    union all

    select
        cast(null as date) as report_date,
        cast(null as string) as system_id,
        'rpt_adoption_by_attribute: sessions by ' || attribute as what,
        sum(sessions) as found,
        (select session_totals.sessions from session_totals) as expected
    from adoption
    where item_type is null
    group by attribute

    {% for report, (ids, counted) in reports.items() -%}
    union all

    select
        report_date,
        system_id,
        '{{ report }}: {{ counted }} among {{ ids }}' as what,
        {{ counted }} as found,
        -- At most as many as ids, and somebody where there are any.
        greatest(least({{ counted }}, {{ ids }}), least({{ ids }}, 1)) as expected
    from {{ ref(report) }}

    {% endfor %}
),

looked_at as (

    select
        report_date as event_date,
        system_id,
        cast(null as string) as session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        what || ': ' || found || ', expected ' || expected as detail,
        found <> expected as is_violation
    from compared

)

{{ invariant_result('people_add_up', looked_at='looked_at') }}
