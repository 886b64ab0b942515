{# Interpolating leaves noise in the last binary digits; thousandths are all that it can mean. #}
{% macro quantile(value, share) -%}
    {{ return(adapter.dispatch('quantile')(value, share)) }}
{%- endmacro %}

{% macro duckdb__quantile(value, share) -%}
    round(quantile_cont({{ value }}, {{ share }}), 3)
{%- endmacro %}
