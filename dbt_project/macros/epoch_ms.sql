{% macro epoch_ms(timestamp) -%}
    {{ return(adapter.dispatch('epoch_ms')(timestamp)) }}
{%- endmacro %}

{% macro duckdb__epoch_ms(timestamp) -%}
    epoch_ms({{ timestamp }})
{%- endmacro %}

{# The session's time zone is UTC. #}
{% macro spark__epoch_ms(timestamp) -%}
    unix_millis(cast({{ timestamp }} as timestamp_ltz))
{%- endmacro %}
