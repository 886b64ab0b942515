{{ config(materialized=as_view()) }}
with

{{ counts_of_reports(reconciled_reports() | list, reported_totals, 'reported_counts') }}

select * from reported_counts
