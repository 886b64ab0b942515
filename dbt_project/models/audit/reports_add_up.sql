with

expected as (

    select * from {{ ref('int_expected_counts') }}

),

reported as (

    select * from {{ ref('int_reported_counts') }}

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
            and expected.report_date is not distinct from reported.report_date
            and expected.system_id is not distinct from reported.system_id

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
