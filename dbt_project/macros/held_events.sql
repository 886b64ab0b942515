{# What a fact says it holds: its column `events`, per session. #}
{% macro held_events(fact) -%}
    select
        '{{ fact }}' as fact,
        system_id,
        environment,
        {{ compared_session(fact) }} as session_id,
        home_date,
        cast(sum(events) as bigint) as events
    from {{ ref(fact) }}
    group by system_id, environment, {{ compared_session(fact) }}, home_date
{% endmacro %}
