{# Interpolating leaves noise in the last binary digits; thousandths are all that it can mean. #}
{% macro quantile(value, share) -%}
    {{ return(adapter.dispatch('quantile')(value, share)) }}
{%- endmacro %}

{% macro duckdb__quantile(value, share) -%}
    round(quantile_cont({{ value }}, {{ share }}), 3)
{%- endmacro %}

{# What it needs of rows that are counted in parts: every value. #}
{% macro all_values(value) -%}
    {{ return(adapter.dispatch('all_values')(value)) }}
{%- endmacro %}

{% macro duckdb__all_values(value) -%}
    coalesce(list({{ value }} order by {{ value }}) filter (where {{ value }} is not null), [])
{%- endmacro %}

{# The same over lists of such values. #}
{% macro quantile_of_all(lists, share) -%}
    {{ return(adapter.dispatch('quantile_of_all')(lists, share)) }}
{%- endmacro %}

{% macro duckdb__quantile_of_all(lists, share) -%}
    round(list_aggregate(flatten(list({{ lists }})), 'quantile_cont', {{ share }}), 3)
{%- endmacro %}

{% macro spark__quantile(value, share) -%}
    round(percentile({{ value }}, {{ share }}d), 3)
{%- endmacro %}

{% macro spark__all_values(value) -%}
    array_sort(collect_list({{ value }}))
{%- endmacro %}

{# The value at `share` of the way from the first to the last, between its two neighbours. #}
{% macro spark__quantile_of_all(lists, share) -%}
    {%- set place = '(size(listed) - 1) * ' ~ share ~ 'd' -%}
    {%- set below = 'listed[cast(floor(' ~ place ~ ') as int)]' -%}
    {%- set above = 'listed[cast(ceil(' ~ place ~ ') as int)]' -%}
    round(
        transform(
            array(array_sort(flatten(collect_list({{ lists }})))),
            listed -> case
                when size(listed) > 0
                    then
                        {{ below }}
                        + ({{ place }} - floor({{ place }})) * ({{ above }} - {{ below }})
            end
        )[0],
        3
    )
{%- endmacro %}
