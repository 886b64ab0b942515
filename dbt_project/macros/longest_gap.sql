{# The largest difference between neighbours in a list of `all_values`; null where there are none. A
   window over the rows would sort all of their columns. #}
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
