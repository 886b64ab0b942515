{# Two events can share a millisecond; their keys decide then, so that every build agrees. #}
{% macro latest(value) -%}
    {{ return(adapter.dispatch('latest')(value)) }}
{%- endmacro %}

{% macro duckdb__latest(value) -%}
    arg_max({{ value }}, (occurred_at, event_key)) filter (where {{ value }} is not null)
{%- endmacro %}
