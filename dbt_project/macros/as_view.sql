{# How what is no table of its own is built: as a view in a DuckDB file. Catalogs of Iceberg tables
   need not know views, so that on Spark it is a part of the queries that read it. What reads many
   tables is a table there: Spark plans a query anew after each of its steps, so that one of a hundred
   parts takes much longer than several of some dozens. #}
{% macro as_view(of_many_tables=false) -%}
    {{ return(
        'view' if target.type == 'duckdb' else 'incremental' if of_many_tables else 'ephemeral'
    ) }}
{%- endmacro %}
