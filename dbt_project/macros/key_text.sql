{# "report_date=2026-03-01, item_id=null": the values of a key as one text, nulls included. #}
{% macro key_text(columns) -%}
    {% for column in columns -%}
    {{ "', ' || " if not loop.first }}'{{ column }}=' || coalesce(cast({{ column }} as string), 'null')
    {{- ' || ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
