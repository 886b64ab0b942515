{{ config(materialized='view') }}
with

{# The item events have an invariant of their own; the results of the audit come after it. #}
{% set unchecked = ['fct_item_events', 'invariants', 'invariant_violations', 'rebuilds'] -%}
{% set queries = [] -%}
{% for tables in var('published').values() -%}
{% for table, key in tables.items() if table not in unchecked -%}
{% do queries.append(key_counts(table, key)) -%}
{% endfor -%}
{% endfor -%}
published_keys as (

    {{ queries | join('\n    union all\n\n    ') }}

)

select * from published_keys
