{{ config(materialized=as_view()) }}
with

{{ counts_of_reports(reports_by_home(add_up=false), expected_totals, 'counts_of_users') }},

counts_by_home as (

    select * from {{ ref('int_expected_counts_by_home') }}

),

counts_of_events as (

    select
        report,
        measure,
        report_date,
        system_id,
        cast(sum(amount) as bigint) as amount
    from counts_by_home
    group by report, measure, report_date, system_id

),

expected_counts as (

    select * from counts_of_events

    union all

    select * from counts_of_users

)

select * from expected_counts
