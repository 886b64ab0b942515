{# The frame of a fact with one row per session and item: what is grouped by, and what is said of
   every one of them. Each fact adds its own counts. #}
{% macro session_item_columns(item_id='item_id', item_name='item_name') -%}
        system_id,
        environment,
        session_id,
        {{ item_id }} as item_id,
        {{ latest(item_name) }} as item_name,
        {{ latest('end_user_id') }} as end_user_id,
        min(home_date) as home_date,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        count(*) as events
{%- endmacro %}

{# The frame of the daily report about such a fact. #}
{% macro daily_item_columns(fact_key) -%}
        report_date,
        system_id,
        item_id,
        {{ latest('item_name', at='last_event_at', key=fact_key) }} as name_in_events,
        count(*) as sessions,
        count(distinct end_user_id) as end_users
{%- endmacro %}
