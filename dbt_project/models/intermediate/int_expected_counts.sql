{{ config(materialized='view') }}
with

{% set queries = [] -%}
{% for report, rule in reconciled_reports().items() -%}
{% for count in rule['counts'] -%}
{% do queries.append(expected_count(report, count)) -%}
{% endfor -%}
{% endfor -%}
expected_counts as (

    {{ queries | join('\n    union all\n\n    ') }}

)

select * from expected_counts
