{# A text, cut at var `longest_text`. DuckDB reads a long one again for each null that follows it in a
   column, so that one of some megabytes needs more memory than there is. #}
{% macro bounded_text(column) -%}
    case
        when length({{ column }}) > {{ var('longest_text') }}
            then left({{ column }}, {{ var('longest_text') }})
        else {{ column }}
    end
{%- endmacro %}
