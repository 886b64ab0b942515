{{ config(meta={'dated_by': ['home_date']}) }}
with

{{ counts_of_reports(reports_by_home(), expected_totals, 'expected_counts', dated_by='home_date') }}

select * from expected_counts
