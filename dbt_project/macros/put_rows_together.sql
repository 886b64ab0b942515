{# Rows that were replaced leave gaps in a file. DuckDB closes them, if told to, when it closes the
   file: for the dates of one day that takes as long as it takes to build them, for those of many days
   not much longer. So it is told to only when there are gaps enough (see profiles.yml). #}
{% macro put_rows_together() %}
    {% if execute and flags.WHICH in ('build', 'run') %}
        {% set largest_table = graph.nodes['model.walkhouse.fct_item_events'] %}
        {{ return(adapter.dispatch('put_rows_together')(largest_table)) }}
    {% endif %}
{% endmacro %}

{% macro duckdb__put_rows_together(largest_table) %}
    {% set stored = run_query(
        'select estimated_size from duckdb_tables()'
        ~ ' where database_name = current_database()'
        ~ " and schema_name = '" ~ largest_table.schema ~ "'"
        ~ " and table_name = '" ~ largest_table.alias ~ "'"
    ) %}
    {% for row in stored %}
        {% set rows = row.estimated_size | int %}
        {% set counted = run_query('select count(*) as rows from ' ~ largest_table.relation_name) %}
        {% set left = counted[0].rows | int %}
        {% if rows - left > var('most_gaps') * rows %}
            {% do run_query('set max_vacuum_tasks = 100') %}
        {% endif %}
    {% endfor %}
{% endmacro %}
