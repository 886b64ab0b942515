{# The days from one to another, both included, as a list. #}
{% macro days_from_to(first, last) -%}
    {{ return(adapter.dispatch('days_from_to')(first, last)) }}
{%- endmacro %}

{% macro duckdb__days_from_to(first, last) -%}
    generate_series(cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval 1 day)
{%- endmacro %}

{% macro spark__days_from_to(first, last) -%}
    sequence({{ first }}, {{ last }}, interval 1 day)
{%- endmacro %}
