{# The values of a group in their order, as one list. #}
{% macro in_order(value) -%}
    {{ return(adapter.dispatch('in_order')(value)) }}
{%- endmacro %}

{% macro duckdb__in_order(value) -%}
    list_sort(list({{ value }}))
{%- endmacro %}

{% macro spark__in_order(value) -%}
    array_sort(collect_list({{ value }}))
{%- endmacro %}

{# The largest difference between neighbours in such a list; null where there are none. A window over
   the rows would sort all of their columns. #}
{% macro longest_gap(values) -%}
    {{ return(adapter.dispatch('longest_gap')(values)) }}
{%- endmacro %}

{% macro duckdb__longest_gap(values) -%}
    list_max(
        list_transform(list_zip({{ values }}[2:], {{ values }}), lambda pair: pair[1] - pair[2])
    )
{%- endmacro %}

{% macro spark__longest_gap(values) -%}
    array_max(
        zip_with(
            slice({{ values }}, 2, size({{ values }})),
            {{ values }},
            (later, earlier) -> later - earlier
        )
    )
{%- endmacro %}
