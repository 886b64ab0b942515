{# The order in which events happened, the same in all tables: by time; in one millisecond, as long as
   some sources' whole seconds, by what the definitions say comes first; then by the line's place. #}
{% macro event_order() -%}
    {{ return(['occurred_at', 'order_in_ms', 'dump_date', 'source_file', 'source_row']) }}
{%- endmacro %}

{# The same order as one number, which is compared and kept more cheaply than its parts. It needs the
   place of a dump and its file among those of the rows that are compared. #}
{% macro event_number(file_number) -%}
    {{ return(adapter.dispatch('event_number')(file_number)) }}
{%- endmacro %}

{% macro duckdb__event_number(file_number) -%}
    (
        (cast({{ epoch_ms('occurred_at') }} as hugeint) * 1000 + order_in_ms) * 1000000
        + {{ file_number }}
    ) * 10000000000 + source_row
{%- endmacro %}

{% macro spark__event_number(file_number) -%}
    (
        (cast({{ epoch_ms('occurred_at') }} as decimal(14, 0)) * 1000 + order_in_ms) * 1000000
        + {{ file_number }}
    ) * 10000000000 + source_row
{%- endmacro %}

{# The same as the end of `order by`, and backwards. #}
{% macro in_event_order(backwards=false) -%}
    {%- set ending = ' desc' if backwards else '' -%}
    {{ event_order() | join(ending ~ ', ') ~ ending }}
{%- endmacro %}
