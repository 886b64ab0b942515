{# What readers of Iceberg's tables follow: a tag on each published table, which all have the name of the
   release, and `meta.release`, which names the tag and is replaced last, by one commit. A kill before
   that leaves readers the release before, and tags that the next release removes, since they were noted
   first. Called by dagster_project/models/pointer.py.

   release     the id of the release: readers see it from now on
   columns     what `meta.release` says of it: name, type and text of each column
   snapshots   the snapshot of each table
   keep        the ids of the releases that are kept
   forgets     whether what builds keep between two steps goes as well #}
{% macro spark_release(release, columns, snapshots, keep, forgets) %}
    {%- set pointer = spark_properties('meta', 'release') -%}
    {%- if not pointer -%}
        {%- do run_query('create schema if not exists meta') -%}
        {%- do run_query('create table if not exists meta.release (release_id string) using iceberg') -%}
    {%- endif -%}
    {%- set tagged = fromjson(pointer.get('walkhouse.tags', '[]')) -%}
    {%- if release not in tagged -%}
        {%- do spark_note_tags(tagged + [release]) -%}
        {%- for table, snapshot in snapshots.items() -%}
            {%- do run_query(
                'alter table ' ~ table ~ ' create or replace tag `' ~ release
                ~ '` as of version ' ~ snapshot
            ) -%}
        {%- endfor -%}
    {%- endif -%}

    {%- do run_query(spark_pointer(columns, snapshots, (tagged + [release]) | unique | list)) -%}

    {%- set gone = tagged | reject('in', keep + [release]) | list -%}
    {%- for table in snapshots if gone -%}
        {%- for tag in gone -%}
            {%- do run_query('alter table ' ~ table ~ ' drop tag if exists `' ~ tag ~ '`') -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if gone -%}
        {%- do spark_note_tags((tagged + [release]) | unique | reject('in', gone) | list) -%}
    {%- endif -%}
    {%- if forgets -%}
        {%- for row in run_query("show tables in audit like 'between_*'").rows -%}
            {%- do run_query('drop table audit.' ~ row[1] ~ ' purge') -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro spark_note_tags(tags) %}
    {%- do run_query(
        "alter table meta.release set tblproperties ('walkhouse.tags' = "
        ~ literal(tojson(tags)) ~ ')'
    ) -%}
{% endmacro %}

{% macro spark_pointer(columns, snapshots, tags) %}
    create or replace table meta.release
    using iceberg
    comment 'One row: the release that readers of these tables see. Each table has a tag of its name.'
    tblproperties ('walkhouse.tags' = {{ literal(tojson(tags)) }})
    as
    select
        {% for column in columns -%}
        cast({{ 'null' if column.text is none else literal(column.text) }} as {{ column.type }})
            as {{ column.name }},
        {% endfor -%}
        map(
            {%- for table, snapshot in snapshots.items() %}
            {{ literal(table) }}, {{ snapshot }}L{{ ',' if not loop.last }}
            {%- endfor %}
        ) as snapshots
{% endmacro %}
