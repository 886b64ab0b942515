{# A part of the lake, for who changes models: whole sessions, so that a session, and what is counted
   in it, is the one of production. The environment asks for it (WALKHOUSE_SAMPLE_FROM, _UNTIL and
   _SESSIONS): dbt would parse the whole project anew for each other `--vars`. It is cut where schema
   `raw` shows the lake and nowhere else, and production refuses it. A play that was left in one session
   and resumed in another may lose a part. #}

{% macro sample_asked_for() %}
    {%- for name in ['sample_from', 'sample_until', 'sample_sessions'] if var(name, none) is not none -%}
        {{ exceptions.raise_compiler_error(
            name ~ ' is no variable: set WALKHOUSE_' ~ name | upper ~ ' in the environment'
        ) }}
    {%- endfor -%}
    {%- set share = env_var('WALKHOUSE_SAMPLE_SESSIONS', '') -%}
    {%- set is_number = modules.re.fullmatch('[0-9]+([.][0-9]+)?', share) -%}
    {%- set sample = sample_of(
        env_var('WALKHOUSE_SAMPLE_FROM', '') or none,
        env_var('WALKHOUSE_SAMPLE_UNTIL', '') or none,
        (share | float if is_number else share) if share else none,
    ) -%}
    {%- if sample.words and target.name in ('prod', 'spark') -%}
        {{ exceptions.raise_compiler_error(
            'production is built from everything: WALKHOUSE_SAMPLE_FROM, _UNTIL and _SESSIONS are'
            ~ ' for `dbt build` without `--target ' ~ target.name ~ '`'
        ) }}
    {%- endif -%}
    {{ return(sample) }}
{% endmacro %}

{# The sample as a dictionary: `words` for people, which also tell samples apart (empty where everything
   is read), and the `condition` of an event of a session that is in it. #}
{% macro sample_of(sample_from, sample_until, sample_sessions) %}
    {%- set first = _sample_date('sample_from', sample_from) -%}
    {%- set end = _sample_date('sample_until', sample_until) -%}
    {%- set share = sample_sessions -%}
    {%- set words = [] -%}
    {%- set conditions = [] -%}
    {%- if first and end and first >= end -%}
        {{ exceptions.raise_compiler_error(
            'sample_until ' ~ end ~ ' must be after sample_from ' ~ first ~ ': it is the first day left out'
        ) }}
    {%- endif -%}
    {%- if first -%}
        {%- do words.append('from ' ~ first) -%}
        {%- do conditions.append("event_date >= date '" ~ first ~ "'") -%}
    {%- endif -%}
    {%- if end -%}
        {%- do words.append('until before ' ~ end) -%}
        {%- do conditions.append("event_date < date '" ~ end ~ "'") -%}
    {%- endif -%}
    {%- if share is not none -%}
        {%- if share is not number or share is boolean or not 0 < share <= 1 -%}
            {{ exceptions.raise_compiler_error(
                'sample_sessions ' ~ share ~ ' must be a share above 0 and at most 1, such as 0.1'
            ) }}
        {%- endif -%}
        {%- if share < 1 -%}
            {%- do words.append(share ~ ' of the sessions') -%}
            {%- do conditions.append(is_in_share(['system_id', 'environment', 'session_id'], share)) -%}
        {%- endif -%}
    {%- endif -%}
    {{ return({'words': words | join(', '), 'condition': conditions | join(' and ')}) }}
{% endmacro %}

{% macro _sample_date(name, text) %}
    {%- if text is none -%}{{ return(none) }}{%- endif -%}
    {%- set found = modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', text | string) -%}
    {%- if not found -%}
        {{ exceptions.raise_compiler_error(
            name ~ ' ' ~ text ~ ' must be a day such as 2026-03-01'
        ) }}
    {%- endif -%}
    {{ return(text | string) }}
{% endmacro %}

{# The condition that a row is in a share of all, by its key: the same rows every time, and those of a
   smaller share among those of a larger one. #}
{% macro is_in_share(key, share) -%}
    {{ return(adapter.dispatch('is_in_share')(key, share)) }}
{%- endmacro %}

{% macro duckdb__is_in_share(key, share) -%}
    cast('0x' || substr(md5({{ key_text(key) }}), 1, 8) as bigint) < {{ share }} * 4294967296
{%- endmacro %}

{# A file holds one sample: where it holds another, what was built of that is dropped, so that a build
   of some models only does not read tables of both. #}
{% macro duckdb__drop_other_sample(sample) %}
    {% set noted = run_query(
        "select count(*) from duckdb_columns() where database_name = current_database()"
        ~ " and schema_name = 'audit' and table_name = 'inputs' and column_name = 'sample'"
    ).columns[0][0] %}
    {% if not noted %}{{ return('') }}{% endif %}
    {% set held = run_query('select max(sample) from audit.inputs').columns[0][0] %}
    {% if held == sample.words %}{{ return('') }}{% endif %}
    {% do log(
        target.path ~ ' held ' ~ (held or 'everything') ~ '; it is built anew with '
        ~ (sample.words or 'everything'),
        info=true,
    ) %}
    {% set built = run_query(
        "select kind, schema_name, name from ("
        ~ " select 'table' as kind, schema_name, table_name as name from duckdb_tables()"
        ~ " where database_name = current_database() union all"
        ~ " select 'view', schema_name, view_name from duckdb_views()"
        ~ " where database_name = current_database())"
        ~ " where schema_name || '.' || name in"
        ~ " (select table_name from audit.versions where dated_by = 'code')"
    ) %}
    {% for kind, schema, name in built.rows %}
        {% do run_query('drop ' ~ kind ~ ' "' ~ schema ~ '"."' ~ name ~ '"') %}
    {% endfor %}
    {% do run_query(
        "begin; delete from audit.versions where table_name in"
        ~ " (select table_name from audit.versions where dated_by = 'code');"
        ~ " delete from audit.builds; commit"
    ) %}
{% endmacro %}

{# The sessions of the sample, each with any of its events in it. #}
{% macro duckdb__sampled_sessions(lines, sample) %}
    create or replace table raw.sampled_sessions as
    select distinct
        system_id,
        environment,
        session_id
    from {{ lines }}
    where outcome = 'event' and {{ sample.condition }}
{% endmacro %}

{# Their events. Lines that are no events belong to no session and are left out. #}
{% macro duckdb__sampled_lines(lines) %}
    {{ lines }}
    where
        outcome = 'event'
        and (system_id, environment, session_id) in (from raw.sampled_sessions)
{% endmacro %}

{# The ledger of the files, as if they held nothing else. #}
{% macro duckdb__sampled_files(files) %}
    (
        select files.* replace (
            coalesce(sampled.events, 0) as lines,
            0::bigint as control,
            0::bigint as ignored,
            0::bigint as quarantined,
            0::bigint as quarantined_bytes,
            coalesce(sampled.events, 0) as events
        )
        from {{ files }} as files
        left join (
            select
                dump_date,
                source_file,
                count(*) as events
            from raw.lines
            group by dump_date, source_file
        ) as sampled
            on
                files.dump_date = sampled.dump_date
                and files.source_file = sampled.source_file
    )
{% endmacro %}

{# What reads tables needs some that were built. #}
{% macro need_a_build() %}
    {{ return(adapter.dispatch('need_a_build')()) }}
{% endmacro %}

{% macro duckdb__need_a_build() %}
    {% set has_builds = run_query(
        "select count(*) from duckdb_tables() where database_name = current_database()"
        ~ " and schema_name = 'audit' and table_name = 'builds'"
    ).columns[0][0] > 0 %}
    {% if not has_builds %}
        {{ exceptions.raise_compiler_error(
            'nothing is built in ' ~ target.path ~ ': run `dbt build` first'
            ~ ' (and before it, where nothing was taken in yet, `make run`)'
        ) }}
    {% endif %}
{% endmacro %}

{# `dbt show` runs no hooks, so it asks here; the rest is dbt's own macro of this name. #}
{% macro get_show_sql(compiled_code, sql_header, limit) -%}
    {%- do need_a_build() -%}
    {{ sql_header if sql_header is not none }}
    {{ get_limit_subquery_sql(compiled_code, limit) }}
{%- endmacro %}
