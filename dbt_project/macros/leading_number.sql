{# A double, because no row of digits is too long for it; epoch milliseconds fit exactly. #}
{% macro leading_number(text) -%}
    {{ return(adapter.dispatch('leading_number')(text)) }}
{%- endmacro %}

{% macro duckdb__leading_number(text) -%}
    try_cast(regexp_extract({{ text }}, '^[0-9]+') as double)
{%- endmacro %}

{% macro spark__leading_number(text) -%}
    try_cast(nullif(regexp_extract({{ text }}, '^[0-9]+', 0), '') as double)
{%- endmacro %}
