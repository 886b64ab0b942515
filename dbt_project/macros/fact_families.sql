{# Which item events each fact holds, once: as item types, or as pairs `item type: event` where a
   fact holds only some events of a type; `none` stands for all events. The facts select by it, and
   `sessions_hold_every_event` compares their column `events` with it. A pair that is new to the
   definitions is in the facts of its type, if any, and always in `fct_sessions`. #}
{% macro fact_families() -%}
    {{ return({
        'fct_sessions': none,
        'fct_tasks': ['Task'],
        'fct_shoutouts': ['ShoutOut', 'ShoutOut Action'],
        'fct_launchers': ['Launcher'],
        'fct_smarttips': ['SmartTip'],
        'fct_resources': ['Resource: Play', 'Shuttle: Play'],
        'fct_surveys': ['Survey', 'Survey Question'],
        'fct_survey_answers': ['Survey Question: Submitted'],
        'fct_menu_opens': ['Menu: Open'],
        'fct_searches': ['WidgetSearch: Search', 'WidgetSearch: Click'],
        'fct_support_contacts': ['Help Desk: Play', 'Live Chat: Click'],
        'fct_flow_plays': [
            'Smart Walk-Thru', 'Smart Walk-Thru Step', 'Walk-Thru', 'Walk-Thru Step'
        ],
        'fct_flow_steps': ['Smart Walk-Thru Step: Play', 'Walk-Thru Step: Play'],
        'fct_actionbot_chats': ['ActionBot', 'ActionBot Conversation', 'ActionBot Node'],
        'fct_actionbot_conversations': ['ActionBot Conversation', 'ActionBot Node'],
        'fct_teachme': ['TeachMe'],
        'fct_quiz_attempts': ['TeachMe Quiz', 'TeachMe Quiz Question'],
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

{# How many events each fact should hold of each session, from counts by session, item type and event. #}
{% macro events_of_facts(counts) -%}
    {{ return(adapter.dispatch('events_of_facts')(counts)) }}
{%- endmacro %}

{% macro duckdb__events_of_facts(counts) -%}
    {% for fact in fact_families() -%}
    select
        '{{ fact }}' as fact,
        system_id,
        environment,
        {{ compared_session(fact) }} as session_id,
        home_date,
        cast(sum(events) as bigint) as events
    from {{ counts }}
    where {{ is_in_family(fact) }}
    group by system_id, environment, {{ compared_session(fact) }}, home_date
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
{%- endmacro %}

{# Spark runs a CTE anew wherever it is read, so that the counts are read once. #}
{% macro spark__events_of_facts(counts) -%}
    select
        held.fact,
        system_id,
        environment,
        held.session_id,
        home_date,
        cast(sum(events) as bigint) as events
    from {{ counts }}
    lateral view explode(
        array(
            {%- for fact in fact_families() %}
            case
                when {{ is_in_family(fact) }}
                    then named_struct('fact', '{{ fact }}', 'session_id', {{ compared_session(fact) }})
            end{{ ',' if not loop.last }}
            {%- endfor %}
        )
    ) facts_of_event as held
    where held is not null
    group by held.fact, system_id, environment, held.session_id, home_date
{%- endmacro %}

{# What the events of a fact are compared by, beside system and environment: the session, but for
   plays of flows, which may go on in another one. #}
{% macro compared_session(fact) -%}
    {{ 'left(session_id, 0)' if fact in ('fct_flow_plays', 'fct_flow_steps') else 'session_id' }}
{%- endmacro %}
