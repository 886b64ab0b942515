{{ config(materialized='view') }}
with

{{ counts_of_reports(reported_totals, 'reported_counts') }}

select * from reported_counts
