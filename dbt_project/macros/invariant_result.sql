{# The end of every model in models/audit: one row (for each date, where the model is rebuilt by
   date) that says how many rows were looked at, how many of them violate the invariant, and which
   (the first in their own order, so that builds agree).
   A condition that comes out null counts as a violation: a check cannot fall silent because a
   value is missing.
   The date that it is rebuilt by is the registry's (`rebuilt_by`).
   A row may stand for several that were looked at: `rows_behind` is the column that counts them.
   The comment is how the check in Dagster finds the query for all of them (`violations.py`). #}
{% macro invariant_result(invariant, looked_at, rows_behind=none) -%}
    {%- set dated_by = var('invariants')[invariant].get('rebuilt_by') %}
    /* all of them: select * from {{ looked_at }} where coalesce(is_violation, true) */
    select
        {% if dated_by %}{{ dated_by }} as {{ dated_by }}{% else %}cast(null as date) as home_date{% endif %},
        cast('{{ invariant }}' as string) as invariant,
        {% if rows_behind -%}
        cast(coalesce(sum({{ rows_behind }}), 0) as bigint) as checked,
        {%- else -%}
        count(*) as checked,
        {%- endif %}
        count(*) filter (where coalesce(is_violation, true)) as violations,
        {{
            smallest(
                violation_columns(),
                var('examples_per_invariant'),
                'coalesce(is_violation, true)'
            )
        }} as examples
    from (
        select
            {%- if dated_by and dated_by != 'event_date' %}
            {{ dated_by }},
            {%- endif %}
            cast(event_date as date) as event_date,
            cast(system_id as string) as system_id,
            cast(session_id as string) as session_id,
            cast(item_id as string) as item_id,
            cast(event_key as string) as event_key,
            cast(detail as string) as detail,
            is_violation
            {%- if rows_behind %},
            {{ rows_behind }}
            {%- endif %}
        from {{ looked_at }}
    ) as looked_at
    {%- if dated_by %}
    group by {{ dated_by }}
    {%- endif %}
{%- endmacro %}

{% macro violation_columns() -%}
    {{ return(['event_date', 'system_id', 'session_id', 'item_id', 'event_key', 'detail']) }}
{%- endmacro %}

{# The results of all invariants of the registry that are rebuilt by a date column, or as a whole. #}
{% macro invariant_results(rebuilt_by) -%}
    {%- set queries = [] -%}
    {%- for invariant, rule in var('invariants').items() if rule.get('rebuilt_by') == rebuilt_by -%}
        {%- do queries.append('select * from ' ~ ref(invariant)) -%}
    {%- endfor -%}
    {{ queries | join('\nunion all\n') }}
{%- endmacro %}

{# The names of the tables that hold the results of all invariants. One that is not there fails where it
   is read, so no invariant is left out. #}
{% macro results_tables() -%}
    {%- set tables = [] -%}
    {%- for rule in var('invariants').values() -%}
        {%- do tables.append(
            'results_by_' ~ rule['rebuilt_by'] if rule['rebuilt_by'] else 'results_as_a_whole'
        ) -%}
    {%- endfor -%}
    {{ return(tables | unique | list) }}
{%- endmacro %}
