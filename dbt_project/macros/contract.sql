{# Whether a model yields the columns and types of its contract. dbt asks the database for both sides of
   the comparison; where those of the model read as the contract says, one query is enough. Otherwise
   dbt's own macro decides, and says what differs. #}
{% macro duckdb__get_assert_columns_equivalent(sql) %}
    {%- set columns = get_column_schema_from_query(sql, config.get('sql_header')) -%}
    {%- set wanted = {} -%}
    {%- for column in model.columns.values() -%}
        {#- dbt has translated the types by now. -#}
        {%- set data_type = column.data_type | upper -%}
        {%- do wanted.update({column.name: 'VARCHAR' if data_type == 'TEXT' else data_type}) -%}
    {%- endfor -%}
    {%- set found = {} -%}
    {%- for column in columns -%}
        {%- do found.update({column.name: column.dtype}) -%}
    {%- endfor -%}
    {%- if found != wanted or columns | length != wanted | length -%}
        {{ return(dbt.assert_columns_equivalent(sql)) }}
    {%- endif -%}
{% endmacro %}
