{# The condition that two rows are of the same line of the landing. #}
{% macro is_same_line(one, other) -%}
    {{ one }}.dump_date = {{ other }}.dump_date
    and {{ one }}.source_file = {{ other }}.source_file
    and {{ one }}.source_row = {{ other }}.source_row
{%- endmacro %}
