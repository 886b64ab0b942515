{# The registry of invariants (var `invariants`), read by id. #}
{% macro invariant_tolerance(invariant) -%}
    {{ return(var('invariants')[invariant]['tolerance']) }}
{%- endmacro %}
