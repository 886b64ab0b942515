{# The homes of visits on Spark, which knows no recursion that keeps one row per key. The query says
   where they are wanted, and the build finds them before it runs the query (`spark_with_homes`). #}
{% macro spark__home_dates(visits) -%}
    /* homes of {{ visits }} */ select * from homes_of_visits /* end of homes */
{%- endmacro %}

{# The query with its homes found. Its CTEs up to the visits are run, the sessions that share plays are
   put in groups, and each session has the first date of its group. #}
{% macro spark_with_homes(sql) %}
    {%- set place = modules.re.search(
        ',\\s*\\w+ as \\(\\s*/[*] homes of (\\w+) [*]/(.+?)/[*] end of homes [*]/',
        sql, modules.re.DOTALL
    ) -%}
    {%- if place is none -%}
        {{ return(sql) }}
    {%- endif -%}
    {%- set visits = spark_between('visits', sql[:place.start()] ~ spark_visits(place.group(1))) -%}
    {%- set ties = spark_between('ties', spark_ties(visits)) -%}
    {%- set homes -%}
        select
            visits.system_id,
            visits.environment,
            visits.session_id,
            min(coalesce(groups.home_date, visits.event_date)) as home_date
        from {{ visits }} as visits
        left join (
            select labels.session_key, min(min(ties.event_date)) over (partition by labels.label)
                as home_date
            from {{ spark_groups(ties) }} as labels
            inner join {{ ties }} as ties
                on labels.session_key = ties.session_key
            group by labels.session_key, labels.label
        ) as groups
            on visits.session_key = groups.session_key
        group by visits.system_id, visits.environment, visits.session_id
    {%- endset -%}
    {{ return(sql[:place.start(2)] ~ homes ~ sql[place.end(2):]) }}
{% endmacro %}

{# The name of a table that holds the rows of a query for this build. What is read several times is put
   in one, since Spark runs a CTE, or a view, anew wherever it is read. #}
{% macro spark_between(name, query) %}
    {%- set table = 'audit.between_' ~ name -%}
    {%- do run_query('create or replace table ' ~ table ~ ' using iceberg as ' ~ query) -%}
    {{ return(table) }}
{% endmacro %}

{% macro spark_visits(visits) %}
    select
        system_id,
        environment,
        session_id,
        md5({{ key_text(['system_id', 'environment', 'session_id']) }}) as session_key,
        md5({{ key_text(['system_id', 'environment', 'flow_play_id']) }}) as play_key,
        flow_play_id,
        min(event_date) as event_date
    from {{ visits }}
    group by system_id, environment, session_id, flow_play_id
{% endmacro %}

{# Which of the sessions have which of the plays that they share with others, with the first date of
   the session. #}
{% macro spark_ties(visits) -%}
    select
        visits.session_key,
        visits.play_key,
        first_dates.event_date
    from {{ visits }} as visits
    left semi join (
        select play_key
        from {{ visits }}
        where flow_play_id is not null
        group by play_key
        having min(session_key) <> max(session_key)
    ) as shared
        on visits.play_key = shared.play_key
    inner join (
        select session_key, min(event_date) as event_date
        from {{ visits }}
        group by session_key
    ) as first_dates
        on visits.session_key = first_dates.session_key
{%- endmacro %}

{# A table with the label of each session's group: the smallest key among those that share plays, at
   any distance. Labels spread along the plays, to the label of a label as well, which doubles their
   reach, in rounds with a table between them, until nothing changes. A round that changes something
   lowers a label to one that there is, so it comes to an end. #}
{% macro spark_groups(ties) %}
    {%- set rounds = ['labels_even', 'labels_odd'] -%}
    {%- set labels = spark_between(
        rounds[0], 'select distinct session_key, session_key as label from ' ~ ties
    ) -%}
    {%- set state = namespace(labels=labels, goes_on=none) -%}
    {%- for round in range(1, 1000) if state.goes_on != 0 -%}
        {%- set before = state.labels -%}
        {%- set state.labels = spark_between(rounds[round % 2], spark_round(ties, before)) -%}
        {%- set state.goes_on = run_query(
            'select count(*) from ' ~ state.labels ~ ' as after inner join ' ~ before ~ ' as before'
            ~ ' on after.session_key = before.session_key where after.label < before.label'
        ).columns[0][0] | int -%}
    {%- endfor -%}
    {%- if state.goes_on != 0 -%}
        {{ exceptions.raise_compiler_error('the sessions that share plays cannot be put in groups') }}
    {%- endif -%}
    {{ return(state.labels) }}
{% endmacro %}

{% macro spark_round(ties, labels) -%}
    with

    jumped as (

        select labels.session_key, labels.label, labels_of_labels.label as further
        from {{ labels }} as labels
        inner join {{ labels }} as labels_of_labels
            on labels.label = labels_of_labels.session_key

    ),

    nearby as (

        select ties.session_key, min(plays.label) as label
        from {{ ties }} as ties
        inner join (
            select ties.play_key, min(jumped.further) as label
            from {{ ties }} as ties
            inner join jumped
                on ties.session_key = jumped.session_key
            group by ties.play_key
        ) as plays
            on ties.play_key = plays.play_key
        group by ties.session_key

    ),

    offered as (

        select session_key, further as label
        from jumped

        union all

        select session_key, label
        from nearby

        union all

        select jumped.label as session_key, nearby.label
        from jumped
        inner join nearby
            on jumped.session_key = nearby.session_key

    )

    select session_key, min(label) as label
    from offered
    group by session_key
{%- endmacro %}
