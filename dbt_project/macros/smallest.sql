{# The first `count` rows, as a list of structs of the columns, in the order of these; a null comes
   last. #}
{% macro smallest(columns, count, condition) -%}
    {{ return(adapter.dispatch('smallest')(columns, count, condition)) }}
{%- endmacro %}

{% macro duckdb__smallest(columns, count, condition) -%}
    coalesce(min({{ struct_of(columns) }}, {{ count }}) filter (where {{ condition }}), [])
{%- endmacro %}

{# Spark has a null come first, so that each column is compared by whether it is null, then by itself. #}
{% macro spark__smallest(columns, count, condition) -%}
    {{ _smallest_of(
        'collect_list(' ~ struct_of(columns) ~ ') filter (where ' ~ condition ~ ')', columns, count
    ) }}
{%- endmacro %}

{# The same over lists of such structs. #}
{% macro smallest_of_all(lists, columns, count) -%}
    {{ return(adapter.dispatch('smallest_of_all')(lists, columns, count)) }}
{%- endmacro %}

{% macro duckdb__smallest_of_all(lists, columns, count) -%}
    list_slice(list_sort(coalesce(flatten(list({{ lists }})), [])), 1, {{ count }})
{%- endmacro %}

{% macro spark__smallest_of_all(lists, columns, count) -%}
    {{ _smallest_of('flatten(collect_list(' ~ lists ~ '))', columns, count) }}
{%- endmacro %}

{% macro _smallest_of(structs, columns, count) -%}
    {%- set order = [] -%}
    {%- for column in columns -%}
        {%- do order.extend(['listed.' ~ column ~ ' is null', 'listed.' ~ column]) -%}
    {%- endfor -%}
    transform(
        slice(
            array_sort(
                transform({{ structs }}, listed -> struct({{ order | join(', ') }}, listed as listed))
            ),
            1,
            {{ count }}
        ),
        pair -> pair.listed
    )
{%- endmacro %}
