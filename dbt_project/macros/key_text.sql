{# "report_date=2026-03-01, item_id is null": the values of a key as one text. A null is told from
   the text `null`. #}
{% macro key_text(columns) -%}
    {% for column in columns -%}
    {{ "', ' || " if not loop.first -}}
    '{{ column }}' || coalesce('=' || cast({{ column }} as string), ' is null')
    {{- ' || ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
