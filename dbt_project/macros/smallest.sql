{% macro smallest(value, count, condition) -%}
    {{ return(adapter.dispatch('smallest')(value, count, condition)) }}
{%- endmacro %}

{% macro duckdb__smallest(value, count, condition) -%}
    coalesce(min({{ value }}, {{ count }}) filter (where {{ condition }}), [])
{%- endmacro %}
