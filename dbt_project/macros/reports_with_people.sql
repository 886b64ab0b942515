{# The reports by day and system that count ids and people, with the two columns. #}
{% macro reports_with_people() -%}
    {{ return({
        'rpt_sessions_daily': ['end_users', 'people'],
        'rpt_items_daily': ['end_users_interacted', 'people_interacted'],
        'rpt_events_daily': ['end_users', 'people'],
        'rpt_flows_daily': ['end_users', 'people'],
        'rpt_shoutouts': ['end_users', 'people'],
        'rpt_launchers': ['end_users', 'people'],
        'rpt_smarttips': ['end_users', 'people'],
        'rpt_surveys': ['end_users', 'people'],
        'rpt_tasks': ['end_users', 'people'],
        'rpt_searches': ['end_users', 'people'],
        'rpt_resources': ['end_users', 'people'],
        'rpt_actionbot': ['end_users', 'people'],
        'rpt_quizzes': ['end_users', 'people'],
    }) }}
{%- endmacro %}
