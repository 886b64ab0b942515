{# Before the bracket of a CTE that is read more than once, and cheaper to read anew than to keep: a
   filter on a table, for example. DuckDB would keep all its columns in memory. Spark keeps none. #}
{% macro read_anew() -%}
    {{ return('not materialized' if target.type == 'duckdb' else '') }}
{%- endmacro %}
