{# Interpolating leaves noise in the last binary digits; thousandths are all that it can mean. #}
{% macro quantile(value, share) -%}
    {{ return(adapter.dispatch('quantile')(value, share)) }}
{%- endmacro %}

{% macro duckdb__quantile(value, share) -%}
    round(quantile_cont({{ value }}, {{ share }}), 3)
{%- endmacro %}

{# What it needs of rows that are counted in parts: every value. #}
{% macro all_values(value) -%}
    {{ return(adapter.dispatch('all_values')(value)) }}
{%- endmacro %}

{% macro duckdb__all_values(value) -%}
    coalesce(list({{ value }} order by {{ value }}) filter (where {{ value }} is not null), [])
{%- endmacro %}

{# The same over lists of such values. #}
{% macro quantile_of_all(lists, share) -%}
    {{ return(adapter.dispatch('quantile_of_all')(lists, share)) }}
{%- endmacro %}

{% macro duckdb__quantile_of_all(lists, share) -%}
    round(list_aggregate(flatten(list({{ lists }})), 'quantile_cont', {{ share }}), 3)
{%- endmacro %}
