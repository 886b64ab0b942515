{{ config(materialized='view') }}
with

{% set queries = [] -%}
{% for report, rule in reconciled_reports().items() -%}
{% for count in rule['counts'] -%}
{% do queries.append(reported_count(report, count)) -%}
{% endfor -%}
{% endfor -%}
reported_counts as (

    {{ queries | join('\n    union all\n\n    ') }}

)

select * from reported_counts
