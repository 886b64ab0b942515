{# Times are summed and compared as whole milliseconds, whose sums do not depend on the order of
   the rows; this division comes last. #}
{% macro ms_to_seconds(milliseconds) -%}
    (cast({{ milliseconds }} as double) / 1000)
{%- endmacro %}
