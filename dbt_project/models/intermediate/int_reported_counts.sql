{{ config(materialized=as_view(of_many_tables=true)) }}
with

{{ counts_of_reports(reconciled_reports() | list, reported_totals, 'reported_counts') }}

select * from reported_counts
