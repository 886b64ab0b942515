{# Which item events each fact holds, once: as item types, or as pairs `item type: event` where a
   fact holds only some events of a type; `none` stands for all events. The facts select by it, and
   `sessions_hold_every_event` compares their column `events` with it. #}
{% macro fact_families() -%}
    {{ return({
        'fct_sessions': none,
        'fct_tasks': ['Task'],
        'fct_shoutouts': ['ShoutOut', 'ShoutOut Action'],
        'fct_launchers': ['Launcher'],
        'fct_smarttips': ['SmartTip'],
        'fct_resources': ['Resource', 'Shuttle'],
        'fct_surveys': ['Survey', 'Survey Question'],
        'fct_survey_answers': ['Survey Question'],
        'fct_menu_opens': ['Menu'],
        'fct_searches': ['WidgetSearch'],
        'fct_support_contacts': ['Help Desk', 'Live Chat'],
    }) }}
{%- endmacro %}

{# The condition that an item event is of the fact's family. #}
{% macro is_in_family(fact) -%}
    {%- set family = fact_families()[fact] -%}
    {%- if family is none -%}
        true
    {%- else -%}
        {%- set conditions = [] -%}
        {%- set item_types = [] -%}
        {%- set pairs = [] -%}
        {%- for member in family -%}
            {%- do (pairs if ': ' in member else item_types).append("'" ~ member ~ "'") -%}
        {%- endfor -%}
        {%- if item_types -%}
            {%- do conditions.append('item_type in (' ~ item_types | join(', ') ~ ')') -%}
        {%- endif -%}
        {%- if pairs -%}
            {%- do conditions.append(
                "item_type || ': ' || event in (" ~ pairs | join(', ') ~ ')'
            ) -%}
        {%- endif -%}
        ({{ conditions | join(' or ') }})
    {%- endif -%}
{%- endmacro %}
