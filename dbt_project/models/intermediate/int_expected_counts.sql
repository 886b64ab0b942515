{{ config(materialized='view') }}
with

{{ counts_of_reports(expected_totals, 'expected_counts') }}

select * from expected_counts
