{% macro week_starts(first, last) -%}
    {{ return(adapter.dispatch('week_starts')(first, last)) }}
{%- endmacro %}

{% macro duckdb__week_starts(first, last) -%}
    cast(generate_series({{ first }}, {{ last }}, interval 7 day) as date[])
{%- endmacro %}

{% macro spark__week_starts(first, last) -%}
    sequence({{ first }}, {{ last }}, interval 7 days)
{%- endmacro %}
