{# What an item is: a system's type and id, since types count their ids apart. What has no id is known
   by its name, and what has neither is one item of its type. #}

{# The name, where it stands for an id that there is not. #}
{% macro name_without_id(item_id='item_id', item_name='item_name') -%}
    case when {{ item_id }} is null then {{ item_name }} end
{%- endmacro %}

{# What an item is, as one text: the same in every table. `item_type` is an expression. #}
{% macro item_key(item_type, item_id, item_name, system_id='system_id') -%}
    md5(
        'system_id=' || {{ system_id }} || ', item_type' || coalesce('=' || {{ item_type }}, ' is null')
        || coalesce(', item_id=' || {{ item_id }}, ', item_name=' || {{ item_name }}, '')
    )
{%- endmacro %}

{# How many items of a system the rows are of. #}
{% macro count_items(condition='true') -%}
    count(
        distinct case
            when {{ condition }}
                then {{ struct_of(['item_type', 'item_id', 'item_name_without_id']) }}
        end
    )
{%- endmacro %}

{# The type of the items that items of a type are part of, once. #}
{% macro wholes() -%}
    {{ return({
        'Smart Walk-Thru Step': 'Smart Walk-Thru',
        'Walk-Thru Step': 'Walk-Thru',
        'ShoutOut Action': 'ShoutOut',
        'Survey Question': 'Survey',
        'ActionBot Conversation': 'ActionBot',
        'ActionBot Node': 'ActionBot Conversation',
        'TeachMe Quiz Question': 'TeachMe Quiz',
    }) }}
{%- endmacro %}

{# The type of the whole, by the type of the part; null for items that are no parts. #}
{% macro type_of_whole(item_type='item_type') -%}
    case {{ item_type }}
        {% for part, whole in wholes().items() -%}
        when '{{ part }}' then '{{ whole }}'
        {% endfor -%}
    end
{%- endmacro %}
