{# Points schema `raw` at the files that the dumps name now, or at a sample of what is in them, and
   notes in `audit.inputs` which dumps these are. The dumps are listed once; views and notes follow
   from the same list. #}
{% macro read_lake() %}
    {% set home = env_var('WALKHOUSE_HOME', '../data') %}
    {% if execute and flags.WHICH in ('build', 'run', 'seed', 'retry') %}
        {{ return(adapter.dispatch('read_lake')(home ~ '/lake/raw', home)) }}
    {% elif execute and flags.WHICH == 'test' %}
        {% do need_a_build() %}
    {% endif %}
{% endmacro %}

{% macro duckdb__read_lake(lake, home_of_all) %}
    {% set home = lake | replace("'", "''") %}
    {% set has_lake = run_query(
        "select count(*) from glob(['" ~ home ~ "/schema/lines.parquet', '"
        ~ home ~ "/schema/files.parquet', '" ~ home ~ "/content/items.parquet'])"
    ).columns[0][0] == 3 %}
    {% if not has_lake %}
        {{ exceptions.raise_compiler_error(
            'no lake at ' ~ lake
            ~ ": run `make run` or `walkhouse run` first, or set WALKHOUSE_HOME"
        ) }}
    {% endif %}
    {% set sample = sample_asked_for() %}

    {% do duckdb__prepare_layout() %}
    {% do run_query('create schema if not exists raw') %}
    {% do run_query(create_notes()) %}
    {% do duckdb__drop_other_sample(sample) %}
    {% do run_query(duckdb__lake_inputs(home, sample)) %}
    {% do run_query('create or replace view raw.forgotten as ' ~ forgotten(home_of_all)) %}
    {% do run_query(duckdb__lake_versions()) %}

    {% set lines = run_query(
        'select unnest(lines) as file from audit.inputs where dump_date is not null order by file'
    ).columns[0] %}
    {% set files = run_query(
        'select files as file from audit.inputs where dump_date is not null order by file'
    ).columns[0] %}
    {% set all_lines = duckdb__lake_lines([home ~ '/schema/lines.parquet'], lines) %}
    {% set all_files = duckdb__lake_files([home ~ '/schema/files.parquet'], files) %}
    {% set all_items = duckdb__lake_files([home ~ '/content/items.parquet'], []) %}
    {% if sample.words %}
        {% do run_query(duckdb__sampled_sessions(all_lines, sample)) %}
        {% set all_lines = duckdb__sampled_lines(all_lines) %}
        {% set all_files = duckdb__sampled_files(all_files) %}
    {% endif %}
    {% do run_query('create or replace view raw.lines as select * from ' ~ all_lines) %}
    {% do run_query('create or replace view raw.files as select * from ' ~ all_files) %}
    {% do run_query('create or replace view raw.content_items as select * from ' ~ all_items) %}
    {% do read_notes() %}
{% endmacro %}

{% macro duckdb__lake_inputs(home, sample) %}
    {% set dumps = home ~ '/dumps/dt=*/dump.json' %}
    {% set has_dumps = run_query("select count(*) from glob('" ~ dumps ~ "')").columns[0][0] > 0 %}
    create or replace table audit.inputs as
    select
        '{{ invocation_id }}' as invocation_id,
        (select coalesce(max(build), 0) + 1 from audit.rebuilds) as build,
        '{{ env_var("WALKHOUSE_PROJECT_DIGEST", "") }}' as project_digest,
        '{{ sample.words }}' as sample,
        cast(null as date) as dump_date,
        md5(content) as fingerprint,
        cast([] as varchar[]) as lines,
        cast(null as varchar) as files,
        cast(map() as map(date, bigint)) as event_dates,
        cast(map() as map(varchar, bigint)) as forgotten_events
    from read_blob('{{ home }}/content/items.parquet')
    {% if has_dumps %}
    union all
    select
        '{{ invocation_id }}' as invocation_id,
        (select coalesce(max(build), 0) + 1 from audit.rebuilds) as build,
        '{{ env_var("WALKHOUSE_PROJECT_DIGEST", "") }}' as project_digest,
        '{{ sample.words }}' as sample,
        dump_date,
        fingerprint,
        list_transform(lines, lambda line: parse_dirpath(filename) || '/' || line) as lines,
        parse_dirpath(filename) || '/' || files as files,
        event_dates,
        forgotten_events
    from read_json(
        '{{ dumps }}',
        columns = {
            dump_date: 'DATE',
            fingerprint: 'VARCHAR',
            lines: 'VARCHAR[]',
            files: 'VARCHAR',
            event_dates: 'MAP(DATE, BIGINT)',
            forgotten_events: 'MAP(VARCHAR, BIGINT)'
        },
        filename = true,
        hive_partitioning = false
    )
    {% endif %}
{% endmacro %}

{# Who is forgotten, and how many events of theirs the dumps held. #}
{% macro forgotten(home) %}
    with

    requests as (

        {{ adapter.dispatch('requests_to_forget')(home) }}

    ),

    dumps as (

        {{ adapter.dispatch('events_by_request')() }}

    )

    select
        requests.number as request,
        requests.person,
        requests.system_id,
        requests.is_removal,
        requests.asked_at,
        count(dumps.number) as dumps,
        cast(coalesce(sum(dumps.events), 0) as bigint) as events
    from requests
    left join dumps
        on requests.number = dumps.number
    group by
        requests.number,
        requests.person,
        requests.system_id,
        requests.is_removal,
        requests.asked_at
{% endmacro %}

{# The list of the home, or none. #}
{% macro duckdb__requests_to_forget(home) %}
        {%- set file = literal(home ~ '/forgotten.json') -%}
        {% if run_query('select count(*) from glob(' ~ file ~ ')').columns[0][0] -%}
        select number, person, system_id, is_removal, asked_at
        from read_json(
            {{ file }},
            columns = {
                number: 'BIGINT',
                person: 'VARCHAR',
                system_id: 'VARCHAR',
                is_removal: 'BOOLEAN',
                asked_at: 'TIMESTAMP'
            }
        )
        {%- else -%}
        select
            null::bigint as number,
            null::varchar as person,
            null::varchar as system_id,
            null::boolean as is_removal,
            null::timestamp as asked_at
        where false
        {%- endif %}
{% endmacro %}

{# One row per dump and request of which it held somebody. #}
{% macro duckdb__events_by_request() %}
        select
            unnest(map_keys(forgotten_events))::bigint as number,
            unnest(map_values(forgotten_events)) as events
        from audit.inputs
{% endmacro %}

{# What the lake, or the sample of it, holds of each date, for the models that read it. #}
{% macro duckdb__lake_versions() %}
    begin;
    delete from audit.versions
    where table_name in ('raw.lines', 'raw.files', 'raw.content_items', 'raw.forgotten');
    insert into audit.versions
    select 'raw.lines', 'dump_date', dump_date, fingerprint || sample, []
    from audit.inputs where dump_date is not null
    union all
    select 'raw.files', 'dump_date', dump_date, fingerprint || sample, []
    from audit.inputs where dump_date is not null
    union all
    select
        'raw.lines',
        'event_date',
        event_date,
        md5(string_agg(fingerprint || sample, ',' order by dump_date)),
        []
    from (
        select dump_date, fingerprint, sample, unnest(map_keys(event_dates)) as event_date
        from audit.inputs where dump_date is not null
    )
    group by event_date
    union all
    select 'raw.content_items', null, null, fingerprint, []
    from audit.inputs where dump_date is null
    union all
    select
        'raw.forgotten',
        null,
        null,
        coalesce(md5(string_agg(forgotten::varchar, ',' order by request)), 'nobody'),
        []
    from raw.forgotten;
    commit
{% endmacro %}

{# The lines of the dumps: rows without a number are known by their place in the file, and those
   without an outcome stand for lines that are in another file of the dump. #}
{% macro duckdb__lake_lines(schema_files, data_files) %}
    (
        select * exclude (file_row_number)
            replace (coalesce(source_row, file_row_number + 1) as source_row)
        from {{ duckdb__lake_files(schema_files, data_files, 'file_row_number = true') }}
        where outcome is not null
    )
{% endmacro %}

{# The first file fixes the column types; it has no rows, so a lake without dumps reads too. #}
{% macro duckdb__lake_files(schema_files, data_files, option='file_row_number = false') %}
    read_parquet(
        [
            {% for file in schema_files -%}
            '{{ file }}'{{ ',' if data_files or not loop.last }}
            {%- endfor %}
            {% for file in data_files -%}
            {{ literal(file) }}{{ ',' if not loop.last }}
            {% endfor %}
        ],
        {{ option }},
        hive_partitioning = false
    )
{% endmacro %}
