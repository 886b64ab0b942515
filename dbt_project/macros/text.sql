{# Texts that the engines would write, trim or fold in different ways. #}

{# Seconds as people read them: 12.0, 0.25, 18057600.0. #}
{% macro seconds_text(seconds) -%}
    {{ return(adapter.dispatch('seconds_text')(seconds)) }}
{%- endmacro %}

{% macro duckdb__seconds_text(seconds) -%}
    cast({{ seconds }} as string)
{%- endmacro %}

{# As a double, a large number would be written with an exponent. #}
{% macro spark__seconds_text(seconds) -%}
    regexp_replace(cast(cast({{ seconds }} as decimal(38, 3)) as string), '([.][0-9]+?)0+$', '$1')
{%- endmacro %}

{# Without the spaces around it, those that Unicode knows beside the usual one, too. #}
{% macro trimmed(text) -%}
    {{ return(adapter.dispatch('trimmed')(text)) }}
{%- endmacro %}

{% macro duckdb__trimmed(text) -%}
    trim({{ text }})
{%- endmacro %}

{% macro spark__trimmed(text) -%}
    regexp_replace({{ text }}, '^[\\p{Zs}]+|[\\p{Zs}]+$', '')
{%- endmacro %}

{# In small letters, one for one: `İ` and `Σ` have a second form that depends on what is around. #}
{% macro folded(text) -%}
    {{ return(adapter.dispatch('folded')(text)) }}
{%- endmacro %}

{% macro duckdb__folded(text) -%}
    lower({{ text }})
{%- endmacro %}

{% macro spark__folded(text) -%}
    lower(translate({{ text }}, 'İΣ', 'iσ'))
{%- endmacro %}

{# A text as a literal. #}
{% macro literal(text) -%}
    {{ return(adapter.dispatch('literal')(text)) }}
{%- endmacro %}

{% macro duckdb__literal(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{% macro spark__literal(text) -%}
    '{{ text | replace("\\", "\\\\") | replace("'", "\\'") }}'
{%- endmacro %}

{# Spark's listagg of dbt loses the order. #}
{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    {%- set order = order_by_clause | replace('order by ', '') -%}
    array_join(
        transform(
            array_sort(collect_list(struct({{ order }}, {{ measure }} as listed))),
            pair -> pair.listed
        ),
        {{ delimiter_text }}
    )
{%- endmacro %}
