{# Two events can share a millisecond; their keys decide then, so that every build agrees. #}
{% macro latest(value, at='occurred_at', key='event_key') -%}
    {{ return(adapter.dispatch('latest')(value, at, key)) }}
{%- endmacro %}

{% macro duckdb__latest(value, at, key) -%}
    arg_max({{ value }}, ({{ at }}, {{ key }})) filter (where {{ value }} is not null)
{%- endmacro %}
