{% macro smallest(value, count, condition) -%}
    {{ return(adapter.dispatch('smallest')(value, count, condition)) }}
{%- endmacro %}

{% macro duckdb__smallest(value, count, condition) -%}
    coalesce(min({{ value }}, {{ count }}) filter (where {{ condition }}), [])
{%- endmacro %}

{# The same over lists of such values. #}
{% macro smallest_of_all(lists, count) -%}
    {{ return(adapter.dispatch('smallest_of_all')(lists, count)) }}
{%- endmacro %}

{% macro duckdb__smallest_of_all(lists, count) -%}
    list_slice(list_sort(coalesce(flatten(list({{ lists }})), [])), 1, {{ count }})
{%- endmacro %}
