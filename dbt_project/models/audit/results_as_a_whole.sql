{{ config(materialized='incremental') }}
{{ invariant_results(rebuilt_by=none) }}
