{# How what is no table of its own is built: as a view in a DuckDB file. Catalogs of Iceberg tables
   need not know views, so that on Spark it is a part of the queries that read it. #}
{% macro as_view() -%}
    {{ return('view' if target.type == 'duckdb' else 'ephemeral') }}
{%- endmacro %}
