{{ config(materialized='incremental', meta={'dated_by': ['event_date']}) }}
{{ invariant_results(rebuilt_by='event_date') }}
