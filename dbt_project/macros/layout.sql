{# The layout of the bookkeeping in schema `audit`, noted in `audit.layout`. All that is in the file
   follows from the lake: a file of an older layout is emptied, and so built anew; one of a newer
   layout is refused, because what it notes could be misread. #}
{% macro duckdb__prepare_layout() %}
    {%- set expected = var('warehouse_layout') -%}
    {%- set relations = run_query(
        "select * from ("
        ~ "select schema_name, table_name, 'table' as type from duckdb_tables()"
        ~ " where database_name = current_database() and not internal and not temporary"
        ~ " union all select schema_name, view_name, 'view' from duckdb_views()"
        ~ " where database_name = current_database() and not internal and not temporary"
        ~ ") order by schema_name = 'audit', table_name = 'layout', schema_name, table_name"
    ) -%}
    {%- set state = namespace(found=none) -%}
    {%- for relation in relations if relation.schema_name == 'audit' -%}
        {%- set state.found = 0 -%}
    {%- endfor -%}
    {%- for relation in relations
        if relation.schema_name == 'audit' and relation.table_name == 'layout' -%}
        {%- set state.found = run_query('select version from audit.layout').columns[0][0] -%}
    {%- endfor -%}

    {% if state.found is not none and state.found > expected %}
        {{ exceptions.raise_compiler_error(
            'this file was built by a newer Walkhouse in layout ' ~ state.found
            ~ ', this one builds layout ' ~ expected ~ ': install what built it again, or '
            ~ 'remove the file and build it anew'
        ) }}
    {% endif %}
    {% if state.found is not none and state.found < expected %}
        {% do log(
            'the file has layout ' ~ state.found ~ ', this Walkhouse builds layout ' ~ expected
            ~ ': everything is built anew', info=true
        ) %}
        {% for relation in relations %}
            {% do adapter.drop_relation(api.Relation.create(
                database=target.database,
                schema=relation.schema_name,
                identifier=relation.table_name,
                type=relation.type
            )) %}
        {% endfor %}
    {% endif %}
    {% do run_query('create schema if not exists audit') %}
    {% do run_query(
        'create or replace table audit.layout as select ' ~ expected ~ ' as version'
    ) %}
{% endmacro %}
