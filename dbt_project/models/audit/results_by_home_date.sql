{{ config(materialized='incremental', meta={'dated_by': ['home_date']}) }}
{{ invariant_results(rebuilt_by='home_date') }}
