{# Points Spark at the files that the dumps name now. The lake stays what it is; its tables are
   temporary views of the session. #}
{% macro spark__read_lake(lake, home) %}
    {% set sample = sample_asked_for() %}
    {% set held = spark_prepare(sample) %}
    {% do run_query(spark_dumps_view(lake)) %}
    {% set found = run_query(
        'select to_json(collect_list(struct(dump_date, fingerprint, lines, files, event_dates)))'
        ~ ' from walkhouse_dumps'
    ).columns[0][0] %}
    {% set dumps = fromjson(found) | sort(attribute='dump_date') %}
    {% set catalogue = run_query(
        'select md5(content) from binaryFile.`' ~ lake ~ '/content/items.parquet`'
    ).columns[0][0] %}
    {% do run_query(spark_lake_inputs(sample, held.build + 1, catalogue)) %}

    {% set lines = ['schema/lines.parquet'] %}
    {% set files = ['schema/files.parquet'] %}
    {% for dump in dumps %}
        {% set folder = 'dumps/dt=' ~ dump.dump_date ~ '/' %}
        {% for file in dump.lines %}
            {% do lines.append(folder ~ file) %}
        {% endfor %}
        {% do files.append(folder ~ dump.files) %}
    {% endfor %}
    {% set all_lines = spark_lake_lines(lake, lines) %}
    {% set all_files = 'select * from ' ~ spark_lake_files(lake, files) %}
    {% if sample.words %}
        {% set all_lines = spark_sampled_lines(all_lines, sample) %}
    {% endif %}
    {% do run_query('create or replace global temporary view lines as ' ~ all_lines) %}
    {% if sample.words %}
        {% set all_files = spark_sampled_files(lake, files) %}
    {% endif %}
    {% do run_query('create or replace global temporary view files as ' ~ all_files) %}
    {% do run_query(
        'create or replace global temporary view content_items as'
        ~ ' select * from parquet.`' ~ lake ~ '/content/items.parquet`'
    ) %}
    {% do run_query(spark_requests_view(home)) %}
    {% do run_query('create or replace global temporary view forgotten as ' ~ forgotten(home)) %}
    {% set who = run_query(
        'select to_json(sort_array(collect_list(struct(*)))) from global_temp.forgotten'
    ).columns[0][0] %}
    {% do spark_read_notes(dumps, catalogue, who, sample, held.build + 1) %}
{% endmacro %}

{# Every `dump.json`; its folder follows from its date. #}
{% macro spark_dumps_view(lake) %}
    create or replace temporary view walkhouse_dumps (
        dump_date date,
        fingerprint string,
        lines array<string>,
        files string,
        event_dates map<string, bigint>,
        forgotten_events map<string, bigint>
    )
    using json
    options (
        path {{ literal(lake ~ '/dumps') }},
        recursiveFileLookup 'true',
        pathGlobFilter 'dump.json',
        multiLine 'true'
    )
{% endmacro %}

{# The list of who is forgotten, where there is one. The file beside it is always there, since Spark
   refuses a path without any; it is a row without a number. #}
{% macro spark_requests_view(home) %}
    create or replace temporary view walkhouse_requests (
        number bigint,
        person string,
        system_id string,
        is_removal boolean,
        asked_at timestamp
    )
    using json
    options (
        path {{ literal(home ~ '/{forgotten.json,lake/raw/version.json}') }},
        multiLine 'true'
    )
{% endmacro %}

{% macro spark__requests_to_forget(home) %}
        select number, person, system_id, is_removal, asked_at
        from walkhouse_requests
        where number is not null
{% endmacro %}

{% macro spark__events_by_request() %}
        select cast(number as bigint) as number, events
        from walkhouse_dumps
        lateral view explode(forgotten_events) exploded as number, events
{% endmacro %}

{% macro spark_lake_inputs(sample, build, catalogue) %}
    {%- set of_build -%}
        '{{ invocation_id }}' as invocation_id,
        cast({{ build }} as bigint) as build,
        '{{ env_var("WALKHOUSE_PROJECT_DIGEST", "") }}' as project_digest,
        '{{ sample.words }}' as sample
    {%- endset %}
    create or replace table audit.inputs
    using iceberg
    tblproperties (
        'walkhouse.layout' = '{{ var("warehouse_layout") }}',
        'walkhouse.build' = '{{ build }}',
        'walkhouse.sample' = '{{ sample.words }}'
    )
    as
    select {{ of_build }}, dump_date, fingerprint
    from walkhouse_dumps
    union all
    select {{ of_build }}, cast(null as date) as dump_date, '{{ catalogue }}' as fingerprint
{% endmacro %}

{# Files of the lake as one table. #}
{% macro spark_lake_files(lake, files) -%}
    parquet.`{{ lake | replace('`', '``') }}/{{ '{' }}{{ files | join(',') }}{{ '}' }}`
{%- endmacro %}

{# The lines of the dumps: rows without a number are known by their place in the file, and those
   without an outcome stand for lines that are in another file of the dump. #}
{% macro spark_lake_lines(lake, files) -%}
    {%- set columns = [] -%}
    {%- for row in run_query('describe query select * from ' ~ spark_lake_files(lake, files[:1])).rows -%}
        {%- do columns.append(
            'coalesce(source_row, _metadata.row_index + 1) as source_row'
            if row[0] == 'source_row' else row[0]
        ) -%}
    {%- endfor -%}
    select {{ columns | join(', ') }}
    from {{ spark_lake_files(lake, files) }}
    where outcome is not null
{%- endmacro %}

{# The events of the sessions of the sample, as in the file of an analyst. #}
{% macro spark_sampled_lines(lines, sample) -%}
    with lines as ({{ lines }})

    select lines.*
    from lines
    left semi join (
        select system_id, environment, session_id
        from lines
        where outcome = 'event' and {{ sample.condition }}
    ) as sampled
        on
            lines.system_id = sampled.system_id
            and lines.environment = sampled.environment
            and lines.session_id = sampled.session_id
    where lines.outcome = 'event'
{%- endmacro %}

{# The ledger of the files, as if they held nothing else. #}
{% macro spark_sampled_files(lake, paths) -%}
    {%- set none_left = ['control', 'ignored', 'quarantined', 'quarantined_bytes'] -%}
    {%- set columns = [] -%}
    {%- for row in run_query('describe query select * from ' ~ spark_lake_files(lake, paths[:1])).rows -%}
        {%- if row[0] in ('lines', 'events') -%}
            {%- do columns.append('coalesce(sampled.events, 0) as ' ~ row[0]) -%}
        {%- elif row[0] in none_left -%}
            {%- do columns.append('cast(0 as bigint) as ' ~ row[0]) -%}
        {%- else -%}
            {%- do columns.append('files.' ~ row[0]) -%}
        {%- endif -%}
    {%- endfor -%}
    select {{ columns | join(', ') }}
    from {{ spark_lake_files(lake, paths) }} as files
    left join (
        select dump_date, source_file, count(*) as events
        from global_temp.lines
        group by dump_date, source_file
    ) as sampled
        on files.dump_date = sampled.dump_date and files.source_file = sampled.source_file
{%- endmacro %}

{% macro spark__is_in_share(key, share) -%}
    cast(conv(substr(md5({{ key_text(key) }}), 1, 8), 16, 10) as bigint) < {{ share }} * 4294967296
{%- endmacro %}

{# What the catalog holds of an earlier build: the number of that, and its sample. Tables of an older
   layout, or of another sample, go. #}
{% macro spark_prepare(sample) %}
    {% do run_query('create schema if not exists audit') %}
    {% set inputs = spark_properties('audit', 'inputs') %}
    {% set layout = inputs.get('walkhouse.layout', '0') | int %}
    {% set expected = var('warehouse_layout') %}
    {% if layout > expected %}
        {{ exceptions.raise_compiler_error(
            'these tables were built by a newer Walkhouse in layout ' ~ layout
            ~ ', this one builds layout ' ~ expected ~ ': install what built them again, or'
            ~ ' remove them and build them anew'
        ) }}
    {% endif %}
    {% if inputs and (layout < expected or inputs.get('walkhouse.sample', '') != sample.words) %}
        {% do log(
            'the tables are of another layout or sample: everything is built anew', info=true
        ) %}
        {% for node in graph.nodes.values() if node.resource_type == 'model' %}
            {% if node.config.materialized == 'incremental' %}
                {% set relation = adapter.get_relation(none, node.schema, node.alias) %}
                {% if relation %}
                    {% do adapter.drop_relation(relation) %}
                {% endif %}
            {% endif %}
        {% endfor %}
    {% endif %}
    {{ return({'build': inputs.get('walkhouse.build', 0) | int}) }}
{% endmacro %}

{# The properties of a table; none where it is not there. #}
{% macro spark_properties(schema, table) %}
    {%- set found = {} -%}
    {%- if run_query('show tables in ' ~ schema ~ " like '" ~ table ~ "'").rows -%}
        {%- for row in run_query('show tblproperties ' ~ schema ~ '.' ~ table).rows -%}
            {%- do found.update({row[0]: row[1] | string}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{% endmacro %}

{% macro spark__need_a_build() %}
    {% if not spark_properties('audit', 'inputs') %}
        {{ exceptions.raise_compiler_error(
            'nothing is built in this catalog: run `dbt build --target ' ~ target.name ~ '` first'
        ) }}
    {% endif %}
{% endmacro %}

{# Iceberg's own maintenance compacts files: see docs/scaling.md. #}
{% macro spark__put_rows_together(largest_table) %}
{% endmacro %}

{# dbt asks for the schemas first of all, several times at once. A catalog in a folder is not there
   before its first schema; in a database, two that make the same one are in each other's way. #}
{% macro spark__list_schemas(database) %}
    {% if not env_var('WALKHOUSE_SPARK_CATALOG', '') %}
        {% do run_query('create schema if not exists audit') %}
    {% endif %}
    {{ return(run_query('show databases')) }}
{% endmacro %}

{# The tables of a schema as dbt-spark wants them. Its own way fails where there is no such schema, and
   describes every table of Iceberg by a statement of its own. #}
{% macro spark__list_relations_without_caching(relation) %}
    {% do run_query('create schema if not exists ' ~ relation.schema) %}
    {% set rows = ["('', '')"] %}
    {% for row in run_query('show tables in ' ~ relation.schema).rows %}
        {% do rows.append("('" ~ row[0] ~ "', '" ~ row[1] ~ "')") %}
    {% endfor %}
    {{ return(run_query(
        "select schema_name, name, false as is_temporary, 'Provider: iceberg' as information from values "
        ~ rows | join(', ') ~ " as tables (schema_name, name) where name <> ''"
    )) }}
{% endmacro %}
