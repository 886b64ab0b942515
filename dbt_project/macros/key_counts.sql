{# Grouping takes nulls for equal, so a key with nulls is compared like any other. #}
{% macro key_counts(table, key, dated_by=none) -%}
    select
        {{ dated_by if dated_by else 'cast(null as date)' }} as home_date,
        '{{ table }}' as table_name,
        copies,
        key_values,
        count(*) as keys
    from (
        select
            {% if dated_by %}{{ dated_by }},{% endif %}
            count(*) as copies,
            case when count(*) > 1 then {{ key_text(key) }} end as key_values
        from {{ ref(table) }}
        {% if dated_by -%}
        where {{ is_stale(dated_by) }}
        {% endif -%}
        group by {{ (([dated_by] if dated_by else []) + key) | join(', ') }}
    ) as keys_of_table
    group by {{ (dated_by ~ ', ') if dated_by }}copies, key_values
{% endmacro %}

{# The published tables whose rows of one key have one home: those of sessions and of their plays. #}
{% macro has_keys_by_home(table) -%}
    {{ return(table == 'rpt_flow_tracker' or table.startswith('fct_')) }}
{%- endmacro %}

{# The item events have an invariant of their own; the results of the audit come after it. #}
{% macro published_keys() -%}
    {%- set unchecked = ['fct_item_events', 'invariants', 'invariant_violations', 'rebuilds'] -%}
    {%- set keys = {} -%}
    {%- for tables in var('published').values() -%}
    {%- for table, key in tables.items() if table not in unchecked -%}
    {%- do keys.update({table: key}) -%}
    {%- endfor -%}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro %}

{# How many homes the sessions have, or the plays of flows: one each. #}
{% macro key_homes(id) -%}
    select
        cast(null as date) as home_date,
        'homes in int_visits' as table_name,
        copies,
        key_values,
        count(*) as keys
    from (
        select
            case when min(home_date) = max(home_date) then 1 else 2 end as copies,
            case
                when min(home_date) <> max(home_date)
                    then {{ key_text(['system_id', 'environment', id]) }}
            end as key_values
        from {{ ref('int_visits') }}
        where {{ id }} is not null
        group by system_id, environment, {{ id }}
    ) as homes_of_ids
    group by copies, key_values
{% endmacro %}
