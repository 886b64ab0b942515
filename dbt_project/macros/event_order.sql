{# The order in which events happened, the same in all tables: by time; in one millisecond, as long as
   some sources' whole seconds, by what the definitions say comes first; then by the line's place. #}
{% macro event_order() -%}
    {{ return(['occurred_at', 'order_in_ms', 'dump_date', 'source_file', 'source_row']) }}
{%- endmacro %}

{# The same as the end of `order by`, and backwards. #}
{% macro in_event_order(backwards=false) -%}
    {%- set ending = ' desc' if backwards else '' -%}
    {{ event_order() | join(ending ~ ', ') ~ ending }}
{%- endmacro %}
