{# The last value that is not null, in the order of events. #}
{% macro latest(value) -%}
    {{ return(last_by(value, event_order())) }}
{%- endmacro %}
