{{ config(meta={'dated_by': ['home_date']}) }}
with

{% set queries = [] -%}
{% for table, key in published_keys().items() if has_keys_by_home(table) -%}
{% do queries.append(key_counts(table, key, dated_by='home_date')) -%}
{% endfor -%}
published_keys as (

    {{ queries | join('\n    union all\n\n    ') }}

)

select * from published_keys
