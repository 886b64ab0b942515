{# All events of a session have one home, so sessions add up over the homes. #}
{% macro sums_of_item_users(item_users, by=[]) -%}
    {%- set item = ['system_id', 'item_type', 'item_id', 'item_name_without_id'] -%}
    {%- set key = by + item + ['end_user_id'] -%}
    select
        {%- for column in key %}
        {{ column }},
        {%- endfor %}
        min(first_exposed_at) as first_exposed_at,
        max(last_exposed_at) as last_exposed_at,
        cast(sum(sessions_exposed) as bigint) as sessions_exposed,
        cast(sum(exposures) as bigint) as exposures,
        cast(sum(interactions) as bigint) as interactions
    from {{ item_users }}
    group by {{ key | join(', ') }}
{%- endmacro %}
