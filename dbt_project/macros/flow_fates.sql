{# Columns of `rpt_flow_impact` for each of the fates of a flow. #}

{# What people did with a flow, and what that is called in the columns of `rpt_flow_impact`. #}
{% macro flow_fates() -%}
    {{ return(['completed', 'left', 'stopped', 'never_shown']) }}
{%- endmacro %}

{# How many people of each fate there are, and how many of them reached the goal, in columns. #}
{% macro fate_totals() -%}
        {%- for fate in flow_fates() %}
        cast(sum(case when fate = '{{ fate }}' then people else 0 end) as bigint)
            as people_{{ fate }},
        cast(sum(case when fate = '{{ fate }}' then people_reached else 0 end) as bigint)
            as people_{{ fate }}_reached{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}

{# The same of a pair of which nobody may count. #}
{% macro fate_counts() -%}
        {%- for fate in flow_fates() %}
        coalesce(counts.people_{{ fate }}, 0) as people_{{ fate }},
        coalesce(counts.people_{{ fate }}_reached, 0)
            as people_{{ fate }}_reached{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}

{# The shares who reached the goal, and the ends of their intervals. #}
{% macro fate_rates() -%}
        {%- for fate in flow_fates() %}
        {{ rate('people_' ~ fate ~ '_reached', 'people_' ~ fate) }} as {{ fate }}_rate,
        {{ wilson_bound('people_' ~ fate ~ '_reached', 'people_' ~ fate, -1) }} as {{ fate }}_low,
        {{ wilson_bound('people_' ~ fate ~ '_reached', 'people_' ~ fate, 1) }}
            as {{ fate }}_high{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}
