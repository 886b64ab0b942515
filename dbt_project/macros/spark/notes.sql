{# What a table was built from, on Spark: a property of the table itself, `walkhouse.notes`, in the
   form in which notes are kept in the invocation (see macros/incremental/notes.sql). A table of
   Iceberg changes in commits of its own, so notes and rows cannot change in one transaction. They
   change in an order that a kill at any point leaves rebuildable:

   1. Mark: the dates that are about to be replaced lose their notes, and the other dates of their
      rows are noted as touched. Who is killed after this rebuilds the dates, as if they were new.
   2. Rows: one commit.
   3. Note: what the dates were built from, which other dates their new rows touched, and what was
      rebuilt and why, for `meta.rebuilds`. Who is killed after this has the next build tell it. #}

{# Reads the notes of all tables, and what the lake holds of each date. #}
{% macro spark_read_notes(dumps, catalogue, forgotten, sample, build) %}
    {%- set read = new_notes() -%}
    {%- do read.update({'build': build, 'rebuilds': [], 'rebuilt': {}}) -%}
    {%- set by_schema = {} -%}
    {%- for node in graph.nodes.values() if node.config.materialized in ('incremental', 'seed') -%}
        {%- do by_schema.setdefault(node.schema, []).append(node.alias) -%}
    {%- endfor -%}
    {%- for schema, tables in by_schema.items() -%}
        {%- do run_query('create schema if not exists ' ~ schema) -%}
        {%- set there = run_query('show tables in ' ~ schema).columns[1].values() | list -%}
        {%- for table in tables if table in there -%}
            {%- set text = spark_noted(schema, table) -%}
            {%- if text -%}
                {%- set noted = fromjson(text) -%}
                {%- do read.versions.update({schema ~ '.' ~ table: noted.versions}) -%}
                {%- do read.inputs.update({schema ~ '.' ~ table: noted.inputs}) -%}
                {%- do read.rebuilt.update({schema ~ '.' ~ table: noted.rebuilt or []}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set by_dump = {} -%}
    {%- set by_event = {} -%}
    {%- for dump in dumps -%}
        {%- set version = dump.fingerprint ~ sample.words -%}
        {%- do by_dump.update({dump.dump_date: version}) -%}
        {%- for date, events in (dump.event_dates or {}).items() -%}
            {%- do by_event.setdefault(date, []).append(version) -%}
            {%- do read.events.update({date: read.events.get(date, 0) + events}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set digests = {} -%}
    {%- for date, versions in by_event.items() -%}
        {%- do digests.update({date: local_md5(versions | join(','))}) -%}
    {%- endfor -%}
    {%- do read.versions.update({
        'raw.lines': {'dump_date': by_dump, 'event_date': digests},
        'raw.files': {'dump_date': by_dump},
        'raw.content_items': {'': {'': catalogue}},
        'raw.forgotten': {'': {'': local_md5(forgotten or '')}},
    }) -%}
    {%- do graph.update({'walkhouse_notes': read}) -%}
    {%- do spark_tell_of_killed_builds() -%}
{% endmacro %}

{# What a build rebuilt that was killed before it told. #}
{% macro spark_tell_of_killed_builds() %}
    {%- do spark_create_rebuilds() -%}
    {%- set told = run_query(
        'select distinct concat(build, table_name) from audit.rebuilds'
    ).columns[0].values() | list -%}
    {%- set forgotten = notes().build - var('builds_remembered') -%}
    {%- for table, rebuilt in notes().rebuilt.items() -%}
        {%- for row in rebuilt if row[0] > forgotten and row[0] ~ table not in told -%}
            {%- do notes().rebuilds.append(row) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do spark__write_rebuilds() -%}
{% endmacro %}

{% macro spark_noted(schema, table) %}
    {%- for row in run_query('show tblproperties ' ~ schema ~ '.' ~ table).rows if row[0] == 'walkhouse.notes' -%}
        {%- if 'redacted' in row[1] -%}
            {{ exceptions.raise_compiler_error(
                schema ~ '.' ~ table ~ ': Spark hides what is noted of it, because a name in it looks'
                ~ ' like a secret; set spark.redaction.regex to a narrower pattern'
            ) }}
        {%- endif -%}
        {{ return(row[1]) }}
    {%- endfor -%}
    {{ return('') }}
{% endmacro %}

{# Step 1: `touched` are the dates of the rows that go, by column. #}
{% macro spark_mark(target, plan, touched) %}
    {%- set table_name = _table_name(target) -%}
    {%- set versions = {} -%}
    {%- for column, noted in notes().versions.get(table_name, {}).items() -%}
        {%- do versions.update({column: dict(noted)}) -%}
    {%- endfor -%}
    {%- for date in plan.stale -%}
        {%- do versions.setdefault(plan.key, {}).pop(date, none) -%}
    {%- endfor -%}
    {%- for column, dates in touched.items() -%}
        {%- for date in dates -%}
            {%- do versions.setdefault(column, {}).update({date: 'begun by ' ~ invocation_id}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do spark_write_notes(target, versions) -%}
{% endmacro %}

{# Step 3, and what the hooks do before it. `built` are the rows by date, as `spark_built` finds them. #}
{% macro spark_note(target, plan, touched, post_hooks) %}
    {{ run_hooks(post_hooks) }}
    {%- set table_name = _table_name(target) -%}
    {%- do keep_notes(
        table_name, changes_of_notes(plan, touched), is_whole=plan.why_whole is not none
    ) -%}
    {%- do spark_write_notes(target, notes().versions[table_name]) -%}
    {%- do notes().current.append(target) -%}
{% endmacro %}

{% macro spark_write_notes(target, versions) %}
    {%- set table_name = _table_name(target) -%}
    {%- set noted = {
        'versions': versions,
        'inputs': notes().inputs.get(table_name, {}),
        'rebuilt': notes().rebuilt.get(table_name, []),
    } -%}
    {%- do run_query(
        'alter table ' ~ target ~ " set tblproperties ('walkhouse.notes' = "
        ~ literal(tojson(noted, sort_keys=true)) ~ ')'
    ) -%}
{% endmacro %}

{# What `meta.rebuilds` tells: noted with the table, and told when that model asks for it, or the build
   ends. #}
{% macro spark_keep_rebuilds(target, plan, rows_by_date) %}
    {%- set table_name = _table_name(target) -%}
    {%- set begin = [notes().build, table_name, plan.key] -%}
    {%- set rebuilt = [] -%}
    {%- if plan.why_whole -%}
        {%- do rebuilt.append(begin + [none, plan.why_whole, rows_by_date.values() | sum]) -%}
    {%- else -%}
        {%- for date, reason in plan.stale.items() -%}
            {%- do rebuilt.append(begin + [date, reason, rows_by_date.get(date, 0)]) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do notes().rebuilt.update({table_name: rebuilt}) -%}
    {%- do notes().rebuilds.extend(rebuilt) -%}
{% endmacro %}

{% macro write_rebuilds() %}
    {%- if execute -%}
        {{ return(adapter.dispatch('write_rebuilds')()) }}
    {%- endif -%}
{% endmacro %}

{# They stand in the transactions of the tables. #}
{% macro duckdb__write_rebuilds() %}
{% endmacro %}

{% macro spark_create_rebuilds() %}
    {%- do run_query(
        'create table if not exists audit.rebuilds (build bigint, table_name string,'
        ~ ' dated_by string, date date, reason string, rows_built bigint) using iceberg'
    ) -%}
{% endmacro %}

{% macro spark__write_rebuilds() %}
    {%- set rows = [] -%}
    {%- for build, table_name, key, date, reason, rows_built in notes().rebuilds -%}
        {%- do rows.append(
            '(' ~ build ~ ', ' ~ literal(table_name) ~ ', '
            ~ (literal(key) if key else 'null') ~ ', '
            ~ ("date '" ~ date ~ "'" if date else 'null') ~ ', '
            ~ literal(reason) ~ ', ' ~ rows_built ~ ')'
        ) -%}
    {%- endfor -%}
    {%- if rows -%}
        {%- do run_query(
            'delete from audit.rebuilds where build <= ' ~ (notes().build - var('builds_remembered'))
        ) -%}
        {%- do run_query('insert into audit.rebuilds values ' ~ rows | join(', ')) -%}
        {%- do notes().update({'rebuilds': []}) -%}
    {%- endif -%}
{% endmacro %}

{# Which tables this invocation built or found to be current, and the snapshot that each then had. #}
{% macro spark__note_builds() %}
    {%- do spark__write_rebuilds() -%}
    {%- set tables = {} -%}
    {%- set schemas = {} -%}
    {%- for relation in notes().current -%}
        {%- do tables.update({_table_name(relation): [
            relation.schema, relation.identifier, invocation_id
        ]}) -%}
    {%- endfor -%}
    {%- if spark_properties('audit', 'builds') -%}
        {%- for row in run_query(
            'select schema_name, table_name, invocation_id, cast(snapshot_id as string)'
            ~ ' from audit.builds'
        ).rows if row[0] ~ '.' ~ row[1] not in tables -%}
            {%- do tables.update({row[0] ~ '.' ~ row[1]: row.values() | list}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set rows = [] -%}
    {%- for table, row in tables.items() -%}
        {%- set snapshot = row[3] if row | length > 3 else run_query(
            'show tblproperties ' ~ table ~ " ('current-snapshot-id')"
        ).columns[1][0] -%}
        {%- do rows.append(
            "('" ~ row[:3] | join("', '") ~ "', "
            ~ ('cast(null as bigint)' if snapshot in (none, 'none') else snapshot ~ 'L') ~ ')'
        ) -%}
    {%- endfor -%}
    {%- do run_query(
        'create or replace table audit.builds using iceberg as select * from values '
        ~ rows | join(', ') ~ ' as built (schema_name, table_name, invocation_id, snapshot_id)'
    ) -%}
{% endmacro %}
