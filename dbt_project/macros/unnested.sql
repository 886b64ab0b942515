{% macro unnested(list, element) -%}
    {{ return(adapter.dispatch('unnested')(list, element)) }}
{%- endmacro %}

{% macro duckdb__unnested(list, element) -%}
    cross join unnest({{ list }}) as unnested_{{ element }} ({{ element }})
{%- endmacro %}

{% macro spark__unnested(list, element) -%}
    lateral view explode({{ list }}) unnested_{{ element }} as {{ element }}
{%- endmacro %}
