{# Which counts of the reports have to be those of a fact in production, once: by report the fact,
   the time whose day is the report's (where it has days or weeks), what the report leaves out, and
   by count the aggregate of the fact that the sum of the report's column must equal. What counts
   users is not what its homes add up to.
   `rpt_non_interactors`, `rpt_paths` and `rpt_flow_impact` are missing: who has not used an item, what
   came before or after it, and who reached a goal is no total of a fact. What counts people,
   `people_add_up` looks at. #}
{% macro reconciled_reports() -%}
    {{ return({
        'rpt_sessions_daily': {
            'fact': 'fct_sessions',
            'at': 'started_at',
            'counts': {
                'sessions': 'count(*)',
                'engaged_sessions': 'count(*) filter (where is_engaged)',
                'events': 'sum(events)',
                'interactions': 'sum(interactions)',
            },
        },
        'rpt_items_daily': {
            'fact': 'fct_item_events',
            'at': 'occurred_at',
            'counts': {
                'exposures': "count(*) filter (where engagement = 'exposure')",
                'interactions': "count(*) filter (where engagement = 'interaction')",
                'outcomes': "count(*) filter (where engagement = 'outcome')",
            },
        },
        'rpt_events_daily': {
            'fact': 'fct_item_events',
            'at': 'occurred_at',
            'counts': {'events': 'count(*)'},
        },
        'rpt_event_coverage': {
            'fact': 'fct_item_events',
            'counts': {'events': 'count(*)'},
        },
        'rpt_flows': {
            'fact': 'fct_flow_plays',
            'counts': counts_of_flow_plays(),
        },
        'rpt_flows_daily': {
            'fact': 'fct_flow_plays',
            'at': 'started_at',
            'counts': counts_of_flow_plays(),
        },
        'rpt_flow_funnel': {
            'fact': 'fct_flow_plays',
            'where': "result <> 'failed'",
            'counts': {'plays_reached': 'sum(steps_played)'},
        },
        'rpt_flow_tracker': {
            'fact': 'fct_flow_steps',
            'counts': {'events': 'sum(events)'},
        },
        'rpt_automation_processes': {
            'fact': 'fct_flow_plays',
            'at': 'started_at',
            'where': "flow_kind = 'automation'",
            'counts': {
                'runs': 'count(*)',
                'failures': "count(*) filter (where result = 'failed')",
                'steps': 'sum(steps_played)',
            },
        },
        'rpt_shoutouts': {
            'fact': 'fct_shoutouts',
            'at': 'first_event_at',
            'counts': {
                'sessions': 'count(*)',
                'shown': 'sum(shown)',
                'clicks': 'sum(clicks)',
                'closes': 'sum(closes)',
                'action_clicks': 'sum(action_clicks)',
                'action_closes': 'sum(action_closes)',
            },
        },
        'rpt_launchers': {
            'fact': 'fct_launchers',
            'at': 'first_event_at',
            'counts': {
                'sessions': 'count(*)',
                'shown': 'sum(shown)',
                'clicks': 'sum(clicks)',
            },
        },
        'rpt_smarttips': {
            'fact': 'fct_smarttips',
            'at': 'first_event_at',
            'counts': {
                'sessions': 'count(*)',
                'shown': 'sum(shown)',
                'hovers': 'sum(hovers)',
                'clicks': 'sum(clicks)',
                'passed': 'sum(passed)',
                'failed': 'sum(failed)',
            },
        },
        'rpt_surveys': {
            'fact': 'fct_surveys',
            'at': 'first_event_at',
            'counts': {
                'plays': 'count(*)',
                'plays_submitted': "count(*) filter (where result = 'submitted')",
                'plays_closed': "count(*) filter (where result = 'closed')",
            },
        },
        'rpt_tasks': {
            'fact': 'fct_tasks',
            'at': 'first_event_at',
            'counts': {
                'sessions': 'count(*)',
                'plays': 'sum(plays)',
                'completions': 'sum(completions)',
            },
        },
        'rpt_searches': {
            'fact': 'fct_searches',
            'at': 'first_event_at',
            'counts': {
                'searches': 'count(*) filter (where keystroke_events > 0)',
                'keystroke_events': 'sum(keystroke_events)',
                'clicks': 'sum(clicks)',
            },
        },
        'rpt_resources': {
            'fact': 'fct_resources',
            'at': 'started_at',
            'counts': {'plays': 'count(*)'},
        },
        'rpt_actionbot': {
            'fact': 'fct_actionbot_chats',
            'at': 'first_event_at',
            'counts': {
                'chats': 'count(*) filter (where is_opened)',
                'messages': 'sum(messages)',
                'searches': 'sum(searches)',
                'nodes_served': 'sum(nodes_served)',
                'questions_answered': 'sum(questions_answered)',
                'actions_triggered': 'sum(actions_triggered)',
                'events': 'sum(events)',
            },
        },
        'rpt_quizzes': {
            'fact': 'fct_quiz_attempts',
            'at': 'first_event_at',
            'counts': {
                'attempts': 'count(*) filter (where is_attempt)',
                'questions_submitted': 'sum(questions_submitted)',
                'events': 'sum(events)',
            },
        },
        'rpt_retention_weekly': {
            'fact': 'fct_sessions',
            'at': 'started_at',
            'counts_users': true,
            'counts': {
                'returned': 'count(distinct end_user_id)',
                'engaged_returned': 'count(distinct end_user_id) filter (where is_engaged)',
            },
        },
    }) }}
{%- endmacro %}

{% macro counts_of_flow_plays() -%}
    {{ return({
        'plays': 'count(*)',
        'failed': "count(*) filter (where result = 'failed')",
        'completed': "count(*) filter (where result = 'completed')",
        'stopped_by_launcher': "count(*) filter (where result = 'stopped_by_launcher')",
        'left_plays': "count(*) filter (where result = 'left')",
    }) }}
{%- endmacro %}

{# What a report says of its counts, in a column each, by the day (or week) and system of its key. #}
{% macro reported_totals(report) -%}
    {%- set key = var('published')['reports'][report] -%}
    {%- set days = ['report_date', 'week'] | select('in', key) | list -%}
    {%- set sums = {} -%}
    {%- for count in reconciled_reports()[report]['counts'] -%}
    {%- do sums.update({count: 'sum(' ~ count ~ ')'}) -%}
    {%- endfor -%}
    {{ totals_by_day_and_system(report, sums, key, days | first, none) }}
{%- endmacro %}

{# What the fact says of them; of each home, with `dated_by`. #}
{% macro expected_totals(report, dated_by=none) -%}
    {%- set key = var('published')['reports'][report] -%}
    {%- set rule = reconciled_reports()[report] -%}
    {%- set day = report_date(rule['at']) if rule['at'] -%}
    {%- if 'week' in key -%}
        {%- set day = "cast(date_trunc('week', " ~ day ~ ') as date)' -%}
    {%- endif -%}
    {{ totals_by_day_and_system(
        rule['fact'], rule['counts'], key, day,
        "environment = 'production'" ~ (' and ' ~ rule['where'] if rule['where'] else ''),
        dated_by
    ) }}
{%- endmacro %}

{% macro totals_by_day_and_system(table, aggregates, key, day, condition, dated_by=none) -%}
    {%- set day = day or 'cast(null as date)' -%}
    {%- set system_id = 'system_id' if 'system_id' in key else 'cast(null as string)' -%}
    select
        {%- if dated_by %}
        {{ dated_by }},
        {%- endif %}
        {{ day }} as report_date,
        {{ system_id }} as system_id,
        {%- for count, aggregate in aggregates.items() %}
        cast({{ aggregate }} as bigint) as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref(table) }}
    {% if condition -%}
    where
        {{ condition }}
        {%- if dated_by %}
        and {{ is_stale(dated_by) }}
        {%- endif %}
    {% endif -%}
    group by {{ (dated_by ~ ', ') if dated_by }}{{ day }}, {{ system_id }}
{%- endmacro %}

{# The reports whose counts add up over the homes, or the others: users have several homes. #}
{% macro reports_by_home(add_up=true) -%}
    {%- set reports = [] -%}
    {%- for report, rule in reconciled_reports().items() if add_up != ('counts_users' in rule) -%}
        {%- do reports.append(report) -%}
    {%- endfor -%}
    {{ return(reports) }}
{%- endmacro %}

{# The CTEs of the totals of the reports, and of a row for each of their counts. Each table is read
   once. #}
{% macro counts_of_reports(reports, totals, counts, dated_by=none) -%}
    {%- set of_home = {'dated_by': dated_by} if dated_by else {} -%}
    {%- for report in reports -%}
{{ report }}_totals as (

    {{ totals(report, **of_home) }}

),

{% endfor -%}
{{ counts }} as (

    {% for report in reports -%}
    {{ amounts_of_report(report, reconciled_reports()[report]['counts'] | list, dated_by) }}
    {% if not loop.last -%}
    union all

    {% endif -%}
    {% endfor %}
)
{%- endmacro %}

{# A row for each count of a row of the totals of a report. #}
{% macro amounts_of_report(report, counts, dated_by) -%}
    {{ return(adapter.dispatch('amounts_of_report')(report, counts, dated_by)) }}
{%- endmacro %}

{% macro duckdb__amounts_of_report(report, counts, dated_by) -%}
    {% for count in counts -%}
    select
        {% if dated_by %}{{ dated_by }},{% endif %}
        '{{ report }}' as report,
        '{{ count }}' as measure,
        report_date,
        system_id,
        {{ count }} as amount
    from {{ report }}_totals
    {% if not loop.last -%}
    union all

    {% endif -%}
    {% endfor %}
{%- endmacro %}

{# Spark runs a CTE anew wherever it is read, so that the totals are read once. #}
{% macro spark__amounts_of_report(report, counts, dated_by) -%}
    select
        {% if dated_by %}{{ dated_by }},{% endif %}
        '{{ report }}' as report,
        counted.measure,
        report_date,
        system_id,
        counted.amount
    from {{ report }}_totals
    lateral view stack(
        {{ counts | length }}
        {%- for count in counts %}, '{{ count }}', {{ count }}{% endfor -%}
    ) counted as measure, amount
{%- endmacro %}
