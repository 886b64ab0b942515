{# The condition that a line of the landing is none of some lines. #}
{% macro is_in_none_of(delivery, lines) -%}
    not exists (
        select 1
        from {{ lines }}
        where
            {{ delivery }}.dump_date = {{ lines }}.dump_date
            and {{ delivery }}.source_file = {{ lines }}.source_file
            and {{ delivery }}.source_row = {{ lines }}.source_row
    )
{%- endmacro %}
