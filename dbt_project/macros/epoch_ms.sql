{% macro epoch_ms(timestamp) -%}
    {{ return(adapter.dispatch('epoch_ms')(timestamp)) }}
{%- endmacro %}

{% macro duckdb__epoch_ms(timestamp) -%}
    epoch_ms({{ timestamp }})
{%- endmacro %}
