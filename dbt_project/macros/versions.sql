{# What the tables were built from: `audit.versions`, one row per table and date.

   table_name  schema and name of a table or view, or of a source
   dated_by    the date column; null in the one row of what has no dates; `code` and `description`
               in the rows that hold the model's own SQL and descriptions; the date column and `rows`
               where rows come and go on dates that are not rebuilt (`unique_key`)
   date        null in rows without a date
   version     equal versions mean equal rows. For the column a table is rebuilt by, it is the digest
               of its inputs; for its other date columns, which build last touched rows of the date
   inputs      for the column a table is rebuilt by: the version of each input #}
{% macro create_versions() %}
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
    delete from audit.rebuilds
    where build <= (select max(build) - {{ var('builds_remembered') }} from audit.rebuilds)
{% endmacro %}

{% macro _table_name(relation) -%}
    {{ return(relation.schema ~ '.' ~ relation.identifier) }}
{%- endmacro %}

{# What a model reads, by table name: the date column to compare it by, or none where any change of it
   counts. Views count themselves, and what they read. #}
{% macro inputs_of(node, key) %}
    {%- set found = {} -%}
    {%- set left = [] -%}
    {%- for unique_id in node.depends_on.nodes -%}
        {%- do left.append(unique_id) -%}
    {%- endfor -%}
    {%- set refreshes = node.config.meta.get('refreshes') or [] -%}
    {%- for unique_id in left -%}
        {%- set input = graph.sources.get(unique_id) or graph.nodes[unique_id] -%}
        {%- set is_view = input.config.materialized == 'view' -%}
        {%- set dates = [] if is_view else input.config.meta.get('dated_by') or [] -%}
        {%- set by = key -%}
        {%- if key == 'report_date' and key not in dates -%}
            {%- set by = dates | reject('equalto', 'home_date') | first -%}
        {%- endif -%}
        {%- set noted_as = by ~ ' rows' if input.config.unique_key and by == dates[0] else by -%}
        {%- if input.name not in refreshes -%}
            {%- do found.update({
                input.schema ~ '.' ~ (input.alias or input.identifier or input.name):
                noted_as if by in dates else none
            }) -%}
        {%- endif -%}
        {%- if is_view -%}
            {%- for further in input.depends_on.nodes if further not in left -%}
                {%- do left.append(further) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{# Expected versions and inputs by date: a query with the columns date, version, inputs. #}
{% macro expected_versions(code, inputs, key) %}
    {%- set by_date = [] -%}
    {%- set as_whole = [] -%}
    {%- for table, column in inputs.items() -%}
        {%- if column is none -%}
            {%- do as_whole.append("'" ~ table ~ "'") -%}
        {%- else -%}
            {%- do by_date.append("('" ~ table ~ "', '" ~ column ~ "')") -%}
        {%- endif -%}
    {%- endfor %}
    with whole_inputs as (
        select
            table_name || ' ' || md5(
                string_agg(
                    coalesce(dated_by, '') || coalesce(cast(date as varchar), '') || version,
                    ',' order by dated_by, date
                )
            ) as input
        from audit.versions
        where
            table_name in ({{ (as_whole or ["''"]) | join(', ') }})
            and coalesce(dated_by, '') not in ('description')
        group by table_name
    ),
    whole as (
        select coalesce(list(input order by input), []) as inputs
        from whole_inputs
    ){% if key %},
    dated_inputs as (
        select
            {% if key == 'report_date' -%}
            unnest(list_distinct([
                {{ report_date('cast(date as timestamp)') }},
                {{ report_date("cast(date as timestamp) + interval '86399999 milliseconds'") }}
            ])) as date,
            table_name || ' ' || strftime(date, '%Y-%m-%d') || ' ' || version as input
            {%- else -%}
            date,
            table_name || ' ' || version as input
            {%- endif %}
        from audit.versions
        where (table_name, dated_by) in ({{ (by_date or ["('', '')"]) | join(', ') }})
    ),
    dated as (
        select
            date,
            list(input order by input) as inputs
        from dated_inputs
        group by date
    ){% endif %}
    select
        {% if key %}dated.date{% else %}cast(null as date) as date{% endif %},
        {%- set all_inputs -%}
            {% if key %}list_concat(whole.inputs, dated.inputs){% else %}whole.inputs{% endif %}
        {%- endset %}
        {{ all_inputs }} as inputs,
        md5('{{ code }}' || array_to_string({{ all_inputs }}, ',')) as version
    from whole{% if key %} cross join dated{% endif %}
{% endmacro %}

{# All dates of a whole build in their order, in lists of about as many events as var
   `events_per_batch` says; none for a table without dates, or of few events. #}
{% macro batches_of_dates(plan) %}
    {%- set batches = [] -%}
    {%- set last = namespace(events=0) -%}
    {%- set all_events -%}
        select coalesce(sum(list_sum(map_values(event_dates))), 0) from audit.inputs
    {%- endset -%}
    {# Few events are one batch; asking for their dates would take longer than many a table. #}
    {% if plan.key and run_query(all_events).columns[0][0] | int > var('events_per_batch') %}
        {%- set dates -%}
            with expected as (
                {{ expected_versions(plan.code, plan.inputs, plan.key) }}
            ),
            events_of_dumps as (
                select unnest(map_entries(event_dates)) as entry from audit.inputs
            ),
            events_of_dates as (
                select
                    entry.key as date,
                    cast(sum(entry.value) as bigint) as events
                from events_of_dumps
                group by entry.key
            ),
            -- Of a table dated by months, all days of the month count.
            dates as (
                select
                    date,
                    lead(date) over (order by date) as next_date
                from expected
                where date is not null
            )
            select
                cast(dates.date as varchar) as date,
                coalesce(sum(events_of_dates.events), 0) as events
            from dates
            left join events_of_dates
                on
                    events_of_dates.date >= dates.date
                    and (events_of_dates.date < dates.next_date or dates.next_date is null)
            group by dates.date
            order by dates.date
        {%- endset -%}
        {%- for row in run_query(dates) -%}
            {%- set events = row.events | int -%}
            {%- if not batches or last.events + events > var('events_per_batch') -%}
                {%- do batches.append([]) -%}
                {%- set last.events = 0 -%}
            {%- endif -%}
            {%- do batches[-1].append(row.date) -%}
            {%- set last.events = last.events + events -%}
        {%- endfor -%}
    {% endif %}
    {{ return(batches) }}
{% endmacro %}

{# The dates whose inputs are not what the table was built from, and which inputs differ: at least one
   row, which says what is noted of the table as a whole. #}
{% macro differing_dates(table_name, code, inputs, key) %}
    with expected as (
        {{ expected_versions(code, inputs, key) }}
    ),
    noted as (
        select * from audit.versions where table_name = '{{ table_name }}'
    ),
    recorded as (
        select * from noted where dated_by is not distinct from {{ "'" ~ key ~ "'" if key else 'null' }}
    ),
    differing as (
        select
            cast(coalesce(expected.date, recorded.date) as varchar) as date,
            case
                when recorded.version is null then 'new date'
                when expected.version is null then 'nothing left of the date'
                else
                    array_to_string(
                        list_sort(list_distinct(list_transform(
                            list_filter(
                                list_concat(expected.inputs, recorded.inputs),
                                lambda input:
                                not list_contains(expected.inputs, input)
                                or not list_contains(recorded.inputs, input)
                            ),
                            lambda input: split_part(input, ' ', 1)
                        ))),
                        ', '
                    ) || ' changed'
            end as reason,
            recorded.version is not null as is_recorded,
            true as is_stale
        from expected
        full outer join recorded
            on expected.date is not distinct from recorded.date
        where expected.version is distinct from recorded.version
    ),
    summary as (
        select
            max(case when dated_by = 'code' then version end) as code,
            max(case when dated_by = 'description' then version end) as description,
            (select count(*) from recorded) as recorded_dates
        from noted
    )
    select differing.*, summary.*
    from summary
    left join differing on true
    order by differing.date
{% endmacro %}

{# What a build of the model has to do: everything, or the dates whose inputs differ, or nothing. #}
{% macro plan_of_build(existing, compiled_code, dated_by) %}
    {%- set key = dated_by[0] if dated_by else none -%}
    {%- set table_name = _table_name(this) -%}
    {%- set code = local_md5(compiled_code ~ dated_by) -%}
    {%- set descriptions = [model.description] -%}
    {%- for column in model.columns.values() -%}
        {%- do descriptions.append(column.name ~ column.description ~ column.data_type) -%}
    {%- endfor -%}
    {%- set description = local_md5(descriptions | join('\n')) -%}
    {%- set plan = {
        'key': key, 'code': code, 'description': description, 'dates': [], 'reasons': {},
        'inputs': {} if config.get('materialized') == 'view' else inputs_of(model, key),
    } -%}
    {%- if key and not plan.inputs.values() | select | list -%}
        {{ exceptions.raise_compiler_error(
            table_name ~ ' is dated by ' ~ key ~ ', and nothing that it reads is'
        ) }}
    {%- endif -%}
    {%- set differing = run_query(differing_dates(table_name, code, plan.inputs, key)) -%}
    {%- set noted = differing[0] -%}
    {%- set stale_before = namespace(count=0) -%}
    {%- for row in differing if row.is_stale -%}
        {%- do plan.dates.append(row.date) -%}
        {%- do plan.reasons.update({row.date: row.reason}) -%}
        {%- if row.is_recorded -%}{%- set stale_before.count = stale_before.count + 1 -%}{%- endif -%}
    {%- endfor -%}
    {%- if existing is none -%}
        {%- do plan.update({'why_whole': 'first build'}) -%}
    {%- elif should_full_refresh() -%}
        {%- do plan.update({'why_whole': 'full refresh'}) -%}
    {%- elif noted.code != code -%}
        {%- do plan.update({'why_whole': 'the model changed'}) -%}
    {%- elif existing.type != ('view' if config.get('materialized') == 'view' else 'table') -%}
        {%- do plan.update({'why_whole': 'the model changed'}) -%}
    {%- elif plan.dates and (not key or stale_before.count == noted.recorded_dates) -%}
        {%- do plan.update({'why_whole': plan.reasons.values() | first}) -%}
    {%- endif -%}
    {%- do plan.update({
        'is_whole': 'why_whole' in plan,
        'is_described_anew': noted.description != description,
    }) -%}
    {{ return(plan) }}
{% endmacro %}

{# Notes what was built, in the transaction that built it: statements, one after the other. #}
{% macro note_build(target, plan, dated_by) %}
    {%- set table_name = _table_name(target) -%}
    {%- set key = "'" ~ plan.key ~ "'" if plan.key else 'null' -%}
    {%- set expected = expected_versions(plan.code, plan.inputs, plan.key) -%}
    {% if plan.is_whole %}
        delete from audit.versions where table_name = '{{ table_name }}';
        insert into audit.versions
        select
            '{{ table_name }}',
            'code',
            null,
            '{{ plan.code }}',
            cast([{{ "'" ~ dated_by | join("', '") ~ "'" if dated_by }}] as varchar[]);
        insert into audit.versions
        select '{{ table_name }}', {{ key }}, date, version, inputs
        from ({{ expected }});
        {% for column in dated_by[1:] %}
            {{ stamp_dates(target, column, column) }}
        {% endfor %}
        {% if config.get('unique_key') %}
            {{ stamp_dates(target, plan.key, plan.key ~ ' rows') }}
        {% endif %}
        {% if target.type == 'table' %}
            insert into audit.rebuilds
            select
                (select max(build) from audit.inputs),
                '{{ table_name }}',
                {{ key }},
                null,
                '{{ plan.why_whole }}',
                count(*)
            from {{ target }};
        {% endif %}
    {% elif plan.dates %}
        delete from audit.versions
        where
            table_name = '{{ table_name }}'
            and dated_by = {{ key }}
            and {{ _in_dates('date', plan.dates) }};
        insert into audit.versions
        select '{{ table_name }}', {{ key }}, date, version, inputs
        from ({{ expected }})
        where {{ _in_dates('date', plan.dates) }};
        {% for date in plan.dates %}
            insert into audit.rebuilds
            select
                (select max(build) from audit.inputs),
                '{{ table_name }}',
                {{ key }},
                date '{{ date }}',
                '{{ plan.reasons[date] }}',
                count(*)
            from {{ target }}
            where {{ plan.key }} = date '{{ date }}';
        {% endfor %}
    {% endif %}
    {% if plan.is_whole or plan.is_described_anew %}
        delete from audit.versions
        where table_name = '{{ table_name }}' and dated_by = 'description';
        insert into audit.versions
        values ('{{ table_name }}', 'description', null, '{{ plan.description }}', []);
        {{ comments_of(target) }}
    {% endif %}
    delete from audit.builds
    where schema_name = '{{ target.schema }}' and table_name = '{{ target.identifier }}';
    insert into audit.builds (schema_name, table_name, invocation_id)
    values ('{{ target.schema }}', '{{ target.identifier }}', '{{ invocation_id }}')
{% endmacro %}

{# The descriptions of a table or view and of its columns, as comments: dbt's own way of persisting
   them takes a statement for each. #}
{% macro comments_of(target) %}
    {%- set kind = target.type -%}
    comment on {{ kind }} {{ target }} is '{{ model.description | replace("'", "''") }}';
    {% for column in model.columns.values() %}
        comment on column {{ target }}.{{ adapter.quote(column.name) }}
        is '{{ column.description | replace("'", "''") }}';
    {% endfor %}
{% endmacro %}

{# Post-hook of seeds: what was loaded, for the models that read it. #}
{% macro note_seed() %}
    delete from audit.versions where table_name = '{{ _table_name(this) }}';
    insert into audit.versions
    values ('{{ _table_name(this) }}', null, null, '{{ model.checksum.checksum }}', [])
{% endmacro %}

{# Gives all dates of a column a new version. #}
{% macro stamp_dates(target, column, noted_as) %}
    insert into audit.versions
    select distinct
        '{{ _table_name(target) }}', '{{ noted_as }}', {{ column }}, '{{ invocation_id }}', []
    from {{ target }};
{% endmacro %}

{# Gives the dates of a column in some rows, that come or go, a new version. #}
{% macro note_touched_dates(target, column, rows) %}
    {%- set table_name = _table_name(target) -%}
    {% do run_query(
        "delete from audit.versions where table_name = '" ~ table_name ~ "' and dated_by = '"
        ~ column ~ "' and date in (select " ~ column ~ ' from ' ~ rows ~ ')'
    ) %}
    {% do run_query(
        "insert into audit.versions select distinct '" ~ table_name ~ "', '" ~ column ~ "', "
        ~ column ~ ", '" ~ invocation_id ~ "', [] from (select " ~ column ~ ' from ' ~ rows
        ~ ') where ' ~ column ~ ' is not null'
    ) %}
{% endmacro %}

{# Gives the dates that a table is rebuilt by a new version where rows of theirs are written, also
   those that are not rebuilt as a whole. #}
{% macro note_touched_rows(target, key, fresh, dates) %}
    {%- set of_table -%}
        table_name = '{{ _table_name(target) }}' and dated_by = '{{ key }} rows'
    {%- endset -%}
    {% do run_query(
        'delete from audit.versions where ' ~ of_table ~ ' and (' ~ _in_dates('date', dates)
        ~ ' or date in (select ' ~ key ~ ' from ' ~ fresh ~ '))'
    ) %}
    {% do run_query(
        "insert into audit.versions select distinct '" ~ _table_name(target) ~ "', '" ~ key
        ~ " rows', " ~ key ~ ", '" ~ invocation_id ~ "', [] from " ~ fresh
        ~ ' where ' ~ key ~ ' is not null'
    ) %}
{% endmacro %}
