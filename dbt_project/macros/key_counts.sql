{# Grouping takes nulls for equal, so a key with nulls is compared like any other. #}
{% macro key_counts(table, key) -%}
    select
        '{{ table }}' as table_name,
        count(*) as copies,
        case when count(*) > 1 then {{ key_text(key) }} end as key_values
    from {{ ref(table) }}
    group by {{ key | join(', ') }}
{% endmacro %}
