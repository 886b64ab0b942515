{# What the tables were built from: `audit.versions`, one row per table and date.

   table_name  schema and name of a table or view, or of a source
   dated_by    the date column; null in the one row of what has no dates; `code` and `description`
               in the rows that hold the model's own SQL and descriptions; the date column and `rows`
               where rows come and go on dates that are not rebuilt (`unique_key`)
   date        null in rows without a date
   version     equal versions mean equal rows. For the column a table is rebuilt by, it is the digest
               of its inputs; for its other date columns, which build last touched rows of the date;
               for those that it is `digested_by`, the digest of the rows themselves
   inputs      for the column a table is rebuilt by: the version of each input

   A build reads them once, at its start, and keeps them in the invocation (`notes`). A table that is
   built writes its own in the transaction of its rows, and what is kept follows. Kept notes are
   dictionaries: table, `dated_by`, date; what is null in the table is an empty text in them. #}
{% macro create_notes() %}
    create table if not exists audit.versions (
        table_name varchar,
        dated_by varchar,
        date date,
        version varchar,
        inputs varchar[]
    );
    create table if not exists audit.rebuilds (
        build bigint,
        table_name varchar,
        dated_by varchar,
        date date,
        reason varchar,
        rows_built bigint
    );
    create table if not exists audit.builds (
        schema_name varchar,
        table_name varchar,
        invocation_id varchar
    );
    delete from audit.rebuilds
    where build <= (select max(build) - {{ var('builds_remembered') }} from audit.rebuilds)
{% endmacro %}

{# Reads all notes, and how many events the lake holds of each date. #}
{% macro read_notes() %}
    {%- set all_versions -%}
        select to_json(list(noted)) from (
            select
                table_name,
                coalesce(dated_by, '') as dated_by,
                json_group_object(coalesce(strftime(date, '%Y-%m-%d'), ''), version) as versions,
                json_group_object(coalesce(strftime(date, '%Y-%m-%d'), ''), to_json(inputs)) as inputs
            from audit.versions
            group by all
        ) as noted
    {%- endset -%}
    {%- set all_events -%}
        select json_group_object(strftime(date, '%Y-%m-%d'), events) from (
            select entry.key as date, cast(sum(entry.value) as bigint) as events
            from (select unnest(map_entries(event_dates)) as entry from audit.inputs) as dumps
            group by entry.key
        ) as by_date
    {%- endset -%}
    {%- set read = new_notes() -%}
    {%- for noted in fromjson(run_query(all_versions).columns[0][0] or '[]') -%}
        {%- do read.versions.setdefault(noted.table_name, {}).update({noted.dated_by: noted.versions}) -%}
        {%- do read.inputs.setdefault(noted.table_name, {}).update({noted.dated_by: noted.inputs}) -%}
    {%- endfor -%}
    {%- do read.events.update(fromjson(run_query(all_events).columns[0][0] or '{}')) -%}
    {%- do read.update({'build': run_query('select max(build) from audit.inputs').columns[0][0]}) -%}
    {%- do graph.update({'walkhouse_notes': read}) -%}
{% endmacro %}

{% macro new_notes() %}
    {{ return({
        'versions': {}, 'inputs': {}, 'digests': {}, 'report_dates': {}, 'events': {}, 'current': [],
        'build': 1,
    }) }}
{% endmacro %}

{# What was read, and what this invocation noted since. `graph` is the one thing that all nodes of an
   invocation share. #}
{% macro notes() %}
    {%- if 'walkhouse_notes' not in graph -%}
        {{ exceptions.raise_compiler_error(
            'the notes of earlier builds were not read: models are built by `dbt build` and `dbt run`'
        ) }}
    {%- endif -%}
    {{ return(graph['walkhouse_notes']) }}
{% endmacro %}

{% macro _table_name(relation) -%}
    {{ return(relation.schema ~ '.' ~ relation.identifier) }}
{%- endmacro %}

{# What changes in the notes of a table: by `dated_by`, the dates whose rows are `gone`, and what is
   noted of dates now (`new`: version and inputs). `touched` are the dates, by column, on which rows
   came or went. #}
{% macro changes_of_notes(plan, touched) %}
    {%- set changes = {} -%}
    {%- if plan.why_whole or plan.stale -%}
        {%- set new = {} -%}
        {%- for date in (plan.expected if plan.why_whole else plan.stale) if date in plan.expected -%}
            {%- do new.update({date: plan.expected[date]}) -%}
        {%- endfor -%}
        {%- do changes.update({plan.key or '': {'gone': plan.stale | list, 'new': new}}) -%}
    {%- endif -%}
    {%- for column, dates in touched.items() -%}
        {%- set new = {} -%}
        {%- for date in dates.come -%}
            {%- set version = (dates.versions or {}).get(date, invocation_id) -%}
            {%- do new.update({date: {'version': version, 'inputs': []}}) -%}
        {%- endfor -%}
        {%- do changes.update({column: {'gone': dates.gone, 'new': new}}) -%}
    {%- endfor -%}
    {%- if plan.why_whole -%}
        {%- do changes.update({'code': {'gone': [], 'new': {
            '': {'version': plan.code, 'inputs': plan.dated_by}
        }}}) -%}
    {%- endif -%}
    {%- if plan.is_described_anew -%}
        {%- do changes.update({'description': {'gone': [''], 'new': {
            '': {'version': plan.description, 'inputs': []}
        }}}) -%}
    {%- endif -%}
    {{ return(changes) }}
{% endmacro %}

{# Writes the changes, what was rebuilt and why, and changed descriptions: all in one transaction with
   the rows. #}
{% macro write_notes(target, plan, changes) %}
    {%- set statements = [] -%}
    {%- set table_name = _table_name(target) -%}
    {%- if plan.why_whole and plan.is_noted -%}
        {%- do statements.append("delete from audit.versions where table_name = '" ~ table_name ~ "'") -%}
    {%- elif not plan.why_whole -%}
        {%- do statements.append(_delete_versions(table_name, changes)) -%}
    {%- endif -%}
    {%- do statements.append(_insert_versions(table_name, changes)) -%}
    {%- if target.type == 'table' and plan.why_whole -%}
        {%- do statements.append(_note_whole_rebuild(target, plan)) -%}
    {%- elif target.type == 'table' and plan.stale -%}
        {%- do statements.append(_note_rebuilt_dates(target, plan)) -%}
    {%- endif -%}
    {%- if plan.is_described_anew -%}
        {%- do statements.append(comments_of(target)) -%}
    {%- endif -%}
    {%- if changes -%}
        {%- do run_query(statements | join(';\n')) -%}
    {%- endif -%}
{% endmacro %}

{% macro _delete_versions(table_name, changes) %}
    {%- set conditions = [] -%}
    {%- for column, change in changes.items() if change.gone -%}
        {%- if change.gone == [''] -%}
            {%- do conditions.append("coalesce(dated_by, '') = '" ~ column ~ "'") -%}
        {%- else -%}
            {%- do conditions.append(
                "dated_by = '" ~ column ~ "' and " ~ _in_dates('date', change.gone)
            ) -%}
        {%- endif -%}
    {%- endfor %}
    delete from audit.versions
    where table_name = '{{ table_name }}' and ({{ conditions | join(' or ') or 'false' }})
{%- endmacro %}

{% macro _insert_versions(table_name, changes) %}
    {%- set rows = [] -%}
    {%- for column, change in changes.items() -%}
        {%- for date, noted in change.new.items() -%}
            {%- do rows.append({
                'dated_by': column, 'date': date, 'version': noted.version, 'inputs': noted.inputs
            }) -%}
        {%- endfor -%}
    {%- endfor %}
    insert into audit.versions
    select
        '{{ table_name }}',
        nullif(noted.dated_by, ''),
        cast(nullif(noted.date, '') as date),
        noted.version,
        noted.inputs
    from (
        select unnest(from_json(
            {{ literal(tojson(rows)) }},
            '[{"dated_by": "varchar", "date": "varchar", "version": "varchar", "inputs": ["varchar"]}]'
        )) as noted
    )
{%- endmacro %}

{% macro _note_whole_rebuild(target, plan) %}
    insert into audit.rebuilds
    select
        {{ notes().build }},
        '{{ _table_name(target) }}',
        {{ "'" ~ plan.key ~ "'" if plan.key else 'null' }},
        null,
        '{{ plan.why_whole }}',
        count(*)
    from {{ target }}
{%- endmacro %}

{% macro _note_rebuilt_dates(target, plan) %}
    insert into audit.rebuilds
    select
        {{ notes().build }},
        '{{ _table_name(target) }}',
        '{{ plan.key }}',
        stale.date,
        stale.reason,
        coalesce(built.rows_built, 0)
    from (
        values
        {%- for date, reason in plan.stale.items() %}
        (date '{{ date }}', '{{ reason }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as stale (date, reason)
    left join (
        select {{ plan.key }} as date, count(*) as rows_built
        from {{ target }}
        where {{ _in_dates(plan.key, plan.stale) }}
        group by {{ plan.key }}
    ) as built
        on stale.date = built.date
{%- endmacro %}

{# The descriptions of a table or view and of its columns, as comments: dbt's own way of persisting
   them takes a statement for each. #}
{% macro comments_of(target) %}
    {%- set kind = target.type -%}
    {%- set statements = [
        'comment on ' ~ kind ~ ' ' ~ target ~ ' is ' ~ literal(model.description)
    ] -%}
    {%- for column in model.columns.values() -%}
        {%- do statements.append(
            'comment on column ' ~ target ~ '.' ~ adapter.quote(column.name)
            ~ ' is ' ~ literal(comment_of_column(column))
        ) -%}
    {%- endfor -%}
    {{ return(statements | join(';\n')) }}
{% endmacro %}

{# What is said of a column: its description, and what it holds of people. #}
{% macro comment_of_column(column) %}
    {%- set personal_data = column.get('config', {}).get('meta', {}).get('personal_data') -%}
    {{ return(
        column.description ~ (' Personal data: ' ~ personal_data ~ '.' if personal_data else '')
    ) }}
{% endmacro %}

{# Keeps in this invocation what was written, for the tables that read this one. #}
{% macro keep_notes(table_name, changes, is_whole=false) %}
    {%- set kept = notes() -%}
    {%- if is_whole -%}
        {%- do kept.versions.update({table_name: {}}) -%}
        {%- do kept.inputs.update({table_name: {}}) -%}
    {%- endif -%}
    {%- set versions = kept.versions.setdefault(table_name, {}) -%}
    {%- set inputs = kept.inputs.setdefault(table_name, {}) -%}
    {%- for column, change in changes.items() -%}
        {%- set versions_of_dates = versions.setdefault(column, {}) -%}
        {%- set inputs_of_dates = inputs.setdefault(column, {}) -%}
        {%- for date in change.gone -%}
            {%- do versions_of_dates.pop(date, none) -%}
            {%- do inputs_of_dates.pop(date, none) -%}
        {%- endfor -%}
        {%- for date, noted in change.new.items() -%}
            {%- do versions_of_dates.update({date: noted.version}) -%}
            {%- do inputs_of_dates.update({date: noted.inputs}) -%}
        {%- endfor -%}
        {#- As in the table, there is nothing of a column without dates. -#}
        {%- if not versions_of_dates -%}
            {%- do versions.pop(column) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do kept.digests.pop(table_name, none) -%}
{% endmacro %}

{# Post-hook of seeds: what was loaded, for the models that read it. #}
{% macro note_seed() %}
    {%- set table_name = _table_name(this) -%}
    {%- set loaded = {'': {'gone': [''], 'new': {
        '': {'version': version_of_seed(), 'inputs': []}
    }}} -%}
    {%- if execute -%}
        {%- do keep_notes(table_name, loaded) -%}
    {%- endif -%}
    {{ _delete_versions(table_name, loaded) }};
    {{ _insert_versions(table_name, loaded) }}
{% endmacro %}

{# A digest of the file of a seed and of the types of its columns. #}
{% macro version_of_seed() %}
    {{ return(local_md5(
        model.checksum.checksum ~ tojson(config.get('column_types') or {}, sort_keys=true)
    )) }}
{% endmacro %}

{# Last of all in a build: which tables this invocation built or found to be current. A release takes
   only tables of one invocation. #}
{% macro note_builds() %}
    {%- if execute and 'walkhouse_notes' in graph and notes().current -%}
        {{ return(adapter.dispatch('note_builds')()) }}
    {%- endif -%}
{% endmacro %}

{% macro duckdb__note_builds() %}
    {%- set tables = [] -%}
    {%- for relation in notes().current -%}
        {%- do tables.append("('" ~ relation.schema ~ "', '" ~ relation.identifier ~ "')") -%}
    {%- endfor -%}
    {%- do run_query(
        'begin; delete from audit.builds where (schema_name, table_name) in ('
        ~ tables | join(', ') ~ '); insert into audit.builds'
        ~ " select schema_name, table_name, '" ~ invocation_id ~ "' from (values "
        ~ tables | join(', ') ~ ') as current (schema_name, table_name); commit'
    ) -%}
{% endmacro %}
