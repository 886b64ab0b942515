with

item_events as (

    select
        *,
        {{ report_date('occurred_at') }} as report_date
    from {{ ref('fct_item_events') }}
    where environment = 'production'

),

sessions as (

    select
        *,
        {{ report_date('started_at') }} as report_date
    from {{ ref('fct_sessions') }}
    where environment = 'production'

),

event_totals as (

    select
        report_date,
        system_id,
        count(*) as events,
        count(*) filter (where engagement = 'exposure') as exposures,
        count(*) filter (where engagement = 'interaction') as interactions,
        count(*) filter (where engagement = 'outcome') as outcomes
    from item_events
    group by report_date, system_id

),

session_totals as (

    select
        report_date,
        system_id,
        count(*) as sessions,
        cast(sum(events) as bigint) as events
    from sessions
    group by report_date, system_id

),

-- One row per report, date, system and measure: what the facts say, then what the report says.
expected as (

    {% for measure in ['exposures', 'interactions', 'outcomes'] -%}
    select
        'rpt_items_daily' as report,
        '{{ measure }}' as measure,
        report_date,
        system_id,
        {{ measure }} as amount
    from event_totals

    union all

    {% endfor -%}
    select
        'rpt_events_daily' as report,
        'events' as measure,
        report_date,
        system_id,
        events as amount
    from event_totals
    {%- for measure in ['sessions', 'events'] %}

    union all

    select
        'rpt_sessions_daily' as report,
        '{{ measure }}' as measure,
        report_date,
        system_id,
        {{ measure }} as amount
    from session_totals
    {%- endfor %}

),

{% set measures = {
    'rpt_items_daily': ['exposures', 'interactions', 'outcomes'],
    'rpt_events_daily': ['events'],
    'rpt_sessions_daily': ['sessions', 'events'],
} -%}
reported as (

    {% for report, names in measures.items() -%}
    {% set is_last_report = loop.last -%}
    {% for measure in names -%}
    select
        '{{ report }}' as report,
        '{{ measure }}' as measure,
        report_date,
        system_id,
        cast(sum({{ measure }}) as bigint) as amount
    from {{ ref(report) }}
    group by report_date, system_id
    {{ 'union all' if not (loop.last and is_last_report) }}
    {% endfor -%}
    {% endfor %}

),

compared as (

    select
        coalesce(expected.report, reported.report) as report,
        coalesce(expected.measure, reported.measure) as measure,
        coalesce(expected.report_date, reported.report_date) as report_date,
        coalesce(expected.system_id, reported.system_id) as system_id,
        coalesce(expected.amount, 0) as expected_amount,
        coalesce(reported.amount, 0) as reported_amount
    from expected
    full outer join reported
        on
            expected.report = reported.report
            and expected.measure = reported.measure
            and expected.report_date = reported.report_date
            and expected.system_id = reported.system_id

),

looked_at as (

    select
        report_date as event_date,
        system_id,
        cast(null as string) as session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        report || '.' || measure || ': ' || reported_amount || ' in the report, '
        || expected_amount || ' in the facts' as detail,
        expected_amount <> reported_amount as is_violation
    from compared

)

{{ invariant_result('reports_add_up', looked_at='looked_at') }}
