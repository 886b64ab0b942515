{% macro cap_hours(capped_per) -%}
    {{ return(adapter.dispatch('cap_hours')(capped_per)) }}
{%- endmacro %}

{% macro duckdb__cap_hours(capped_per) -%}
    try_cast(nullif(regexp_extract({{ capped_per }}, '^([0-9]+)h$', 1), '') as integer)
{%- endmacro %}

{% macro spark__cap_hours(capped_per) -%}
    try_cast(nullif(regexp_extract({{ capped_per }}, '^([0-9]+)h$', 1), '') as integer)
{%- endmacro %}
