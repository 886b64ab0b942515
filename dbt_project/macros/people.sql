{# People instead of ids, in tables that are rebuilt by day. Who is who may change with every dump, and
   only the days on which that matters are rebuilt (see int_people_of_days). #}

{# The rows, which have a report date and an end user, with `person_id`: null where the person has no
   other id on the day. #}
{% macro with_people(rows, people_of_days) -%}
    select
        {{ rows }}.*,
        {{ people_of_days }}.person_id
    from {{ rows }}
    left join {{ people_of_days }}
        on
            {{ rows }}.report_date = {{ people_of_days }}.report_date
            and {{ rows }}.end_user_id = {{ people_of_days }}.end_user_id
{%- endmacro %}

{# By how many the ids of rows outnumber the people; the rows, which have a `person_id`, are all of people
   with several ids. #}
{% macro ids_beyond_people(condition=none) -%}
    {%- set filter = ' filter (where ' ~ condition ~ ')' if condition else '' -%}
    count(distinct end_user_id){{ filter }} - count(distinct person_id){{ filter }}
{%- endmacro %}

{# How many people such rows are of: as many as ids, but for the few who have several. #}
{% macro count_people(condition=none, rows=none) -%}
    {%- set of_rows = rows ~ '.' if rows else '' -%}
    {%- set end_user_id = of_rows ~ 'end_user_id' -%}
    {%- set person_id = of_rows ~ 'person_id' -%}
    {%- set filter = ' filter (where ' ~ condition ~ ')' if condition else '' -%}
    count(distinct {{ end_user_id }}){{ filter }}
    - count(distinct case when {{ person_id }} is not null then {{ end_user_id }} end){{ filter }}
    + count(distinct {{ person_id }}){{ filter }}
{%- endmacro %}

{# What is said of people, and `unknown` where nothing is; an expression on the columns of dim_people. #}
{% macro said_or_unknown(expression) -%}
    coalesce(nullif({{ expression }}, ''), 'unknown')
{%- endmacro %}

{# The rows of a relation with an end user, with `person_id`: for questions about facts, which know ids. #}
{% macro with_person_ids(rows) -%}
    select
        {{ rows }}.*,
        dim_end_users.person_id
    from {{ rows }}
    left join {{ ref('dim_end_users') }} as dim_end_users
        on {{ rows }}.end_user_id = dim_end_users.end_user_id
{%- endmacro %}
