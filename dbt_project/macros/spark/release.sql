{# What readers of Iceberg's tables follow: a tag on each published table, which all have the name of the
   release, and `meta.release`, which names the tag and is replaced last, by one commit. A kill before
   that leaves readers the release before, and tags that the next release removes, since they were noted
   first. Called by dagster_project/models/pointer.py.

   release     the id of the release: readers see it from now on
   columns     what `meta.release` says of it: name, type and text of each column
   snapshots   the snapshot of each table
   keep        the ids of the releases that are kept
   most        of tables with more snapshots without a tag, the old ones go
   older_than  how old these are, UTC
   forgets     whether what builds keep between two steps goes as well #}
{% macro spark_release(release, columns, snapshots, keep, most, older_than, forgets) %}
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
        {%- for table in spark_tables() if table.startswith('audit.between_') -%}
            {%- do run_query('drop table ' ~ table ~ ' purge') -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for table in spark_crowded(spark_tables(), most) -%}
        {%- do run_query(
            "call walkhouse.system.expire_snapshots(table => '" ~ table ~ "', older_than =>"
            ~ " timestamp_ltz '" ~ older_than ~ " UTC')"
        ) -%}
    {%- endfor -%}
{% endmacro %}

{# Every table of the project's schemas, those of models that are no more included. Others in the catalog
   are somebody else's. #}
{% macro spark_tables() %}
    {%- set schemas = ['audit', 'meta'] -%}
    {%- for node in graph.nodes.values() if node.config.materialized in ('incremental', 'seed') -%}
        {%- do schemas.append(node.schema) -%}
    {%- endfor -%}
    {%- set tables = [] -%}
    {%- for schema in run_query('show schemas').columns[0].values() if schema in schemas -%}
        {%- for row in run_query('show tables in ' ~ schema).rows -%}
            {%- do tables.append(row[0] ~ '.' ~ row[1]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(tables) }}
{% endmacro %}

{# Those with more than `most` snapshots that no tag names, and that are not what the table is now. #}
{% macro spark_crowded(tables, most) %}
    {%- set held = spark_snapshots(tables, 'snapshots') -%}
    {%- set large = [] -%}
    {%- for table in tables if held.get(table, 0) > most -%}
        {%- do large.append(table) -%}
    {%- endfor -%}
    {%- set named = spark_snapshots(large, 'refs') -%}
    {%- set crowded = [] -%}
    {%- for table in large if held[table] - named.get(table, 0) > most -%}
        {%- do crowded.append(table) -%}
    {%- endfor -%}
    {{ return(crowded) }}
{% endmacro %}

{# How many snapshots each table has in one of the tables that Iceberg has of it. #}
{% macro spark_snapshots(tables, of_it) %}
    {%- set found = {} -%}
    {%- if tables -%}
        {%- set query -%}
            select table_name, count(distinct snapshot_id)
            from (
                {% for table in tables %}
                select '{{ table }}' as table_name, snapshot_id from {{ table }}.{{ of_it }}
                {%- if not loop.last %} union all{% endif %}
                {% endfor %}
            ) as held
            group by table_name
        {%- endset -%}
        {%- for row in run_query(query).rows -%}
            {%- do found.update({row[0]: row[1] | int}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
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
