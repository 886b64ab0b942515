{# The frame of a fact with one row per session and item: what is grouped by, and what is said of
   every one of them. Each fact adds its own counts. #}
{% macro session_item_columns(item_id='item_id', item_name='item_name') -%}
        system_id,
        environment,
        session_id,
        {{ item_id }} as item_id,
        item_name_without_id,
        {{ latest(item_name) }} as item_name,
        {{ latest('end_user_id') }} as end_user_id,
        min(home_date) as home_date,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        count(*) as events
{%- endmacro %}

{# The frame of the daily report about such a fact. #}
{% macro daily_item_columns(item_type) -%}
        report_date,
        {{ item_key("'" ~ item_type ~ "'", 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        item_id,
        {{ last_by('item_name', ['last_event_at', 'item_name']) }} as name_in_events,
        count(*) as sessions,
        count(distinct end_user_id) as end_users,
        {{ count_people() }} as people
{%- endmacro %}

{# What such a row is about, as columns. #}
{% macro session_item_key(item_name_without_id='item_name_without_id') -%}
    {{ return(['system_id', 'environment', 'session_id', 'item_id', item_name_without_id]) }}
{%- endmacro %}
