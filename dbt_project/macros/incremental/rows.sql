{# The rows of a model: how its SQL is kept to the dates that are rebuilt, and how these replace the
   ones that stand. Each way of building says on which dates rows came or went (`touched`). #}

{# The condition that keeps an input of the model to the dates that are rebuilt. In a full build, in
   `dbt show` and in unit tests it reads as it stands here: all of them. #}
{% macro is_stale(column) -%}
    /* stale {{ column }} */ true
{%- endmacro %}

{# The rows that the table has so far. In a full build there are none: it reads as no rows of a
   stand-in, with the columns that the stand-in lacks. #}
{% macro itself(stand_in, lacking) -%}
    /* itself */ (select *, {{ lacking | join(', ') }} from {{ stand_in }} where false)
{%- endmacro %}

{# Rows lie by the date they are rebuilt by, so that who asks for a few dates of a long history reads
   little else; those of one date by the columns in the model's `meta.ordered_by`, if any. Sums over
   many dates take half the time where each date has its rows in the order of what is summed. #}
{% macro _in_order(sql, key, dates=none) -%}
    {%- set order = [] -%}
    {#- The rows of a single date need no sorting by it, however many. -#}
    {%- if key and not (dates and dates | length == 1) -%}
        {%- do order.append(key) -%}
    {%- endif -%}
    {%- do order.extend(model.config.meta.get('ordered_by') or []) -%}
    {{ sql }}
    {%- if order %}
    order by {{ order | join(', ') }}
    {%- endif -%}
{%- endmacro %}

{% macro _in_dates(column, dates) -%}
    {{ column }} in ({{ _dates(dates) }})
{%- endmacro %}

{# The dates as literals. #}
{% macro _dates(dates) -%}
    {% for date in dates %}date '{{ date }}'{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}

{# The same, each as a row. #}
{% macro _dates_in_rows(dates) -%}
    {% for date in dates %}(date '{{ date }}'){{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}

{# The UTC dates that are part of some days of the reporting time zone. #}
{% macro _utc_dates_of(report_dates) -%}
    {%- set candidates = [] -%}
    {%- for date in report_dates -%}
        {%- set day = modules.datetime.datetime.strptime(date, '%Y-%m-%d') -%}
        {%- for days in [-1, 0, 1] -%}
            {%- do candidates.append((day + modules.datetime.timedelta(days=days)).strftime('%Y-%m-%d')) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set known = report_dates_of(candidates | unique | list) -%}
    {%- set found = [] -%}
    {%- for date in candidates | unique | sort if known[date] | select('in', report_dates) | list -%}
        {%- do found.append(date) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{# The full build's SQL, kept to some dates of the column `key`. #}
{% macro _for_dates(sql, target, key, dates) -%}
    {%- set parts = [] -%}
    {%- set at = namespace(end=0) -%}
    {%- set markers = '/[*] stale (\\w+) [*]/ true|/[*] itself [*]/ [(]select .+? where false[)]' -%}
    {%- for found in modules.re.finditer(markers, sql) -%}
        {%- do parts.append(sql[at.end:found.start()]) -%}
        {%- if found.group(1) is none -%}
            {%- do parts.append(target | string) -%}
        {%- else -%}
            {%- set among = dates if found.group(1) == key else _utc_dates_of(dates) -%}
            {%- do parts.append(_in_dates(found.group(1), among)) -%}
        {%- endif -%}
        {%- set at.end = found.end() -%}
    {%- endfor -%}
    {%- do parts.append(sql[at.end:]) -%}
    {{ return(parts | join('')) }}
{%- endmacro %}

{# Builds all rows; those of a long history some dates at a time, so that it needs no more memory than
   a few large days do. #}
{% macro build_whole(existing, target, sql, plan) %}
    {{ begin_without(existing) }}
    {%- set is_in_one = not plan.key or config.get('unique_key') -%}
    {%- set batches = [[]] if is_in_one else batches_of_dates(
        plan.expected, notes().events, var('events_per_batch')
    ) -%}
    {%- for dates in batches -%}
        {%- set of_dates = _for_dates(sql, target, plan.key, dates) if batches | length > 1 else sql -%}
        {%- set rows = _in_order(of_dates, plan.key, dates) -%}
        {% if loop.first %}
            {% call statement('main') %}
                {{ create_table_as(False, target, rows) }}
            {% endcall %}
        {% else %}
            {% do run_query('insert into ' ~ target ~ ' by name ' ~ rows) %}
        {% endif %}
    {%- endfor -%}
    {%- set touched = come_and_gone(come=dates_of_rows(plan.dated_by[1:], target)) -%}
    {%- if config.get('unique_key') -%}
        {%- do touched.update({
            plan.key ~ ' rows': {'come': dates_of_rows([plan.key], target)[plan.key], 'gone': []}
        }) -%}
    {%- endif -%}
    {%- do touched.update(digests_of_rows(model.config.meta.get('digested_by') or [], target)) -%}
    {{ return(touched) }}
{% endmacro %}

{# What is noted of the dates that a table is `digested_by`: equal digests, equal rows. So a table may
   be small, depend on everything and be rebuilt as a whole, and call for a rebuild downstream only on
   the dates on which it says something else now. #}
{% macro digests_of_rows(columns, rows) %}
    {%- set found = {} -%}
    {%- for column in columns -%}
        {%- set versions = {} -%}
        {%- for date, digest in run_query(query_of_digests(column, rows)).rows -%}
            {%- do versions.update({date | string: digest}) -%}
        {%- endfor -%}
        {%- do found.update({column: {'come': versions | list, 'gone': [], 'versions': versions}}) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{% macro query_of_digests(column, rows) -%}
    {{ return(adapter.dispatch('query_of_digests')(column, rows)) }}
{%- endmacro %}

{% macro duckdb__query_of_digests(column, rows) -%}
    select date, md5(string_agg(row_text, '' order by row_text)) as digest
    from (
        select
            strftime({{ column }}, '%Y-%m-%d') as date,
            cast(to_json(rows_of_table) as varchar) as row_text
        from {{ rows }} as rows_of_table
        where {{ column }} is not null
    ) as texts
    group by date
{%- endmacro %}

{% macro spark__query_of_digests(column, rows) -%}
    select date, md5(array_join(array_sort(collect_list(row_text)), '')) as digest
    from (
        select
            cast({{ column }} as string) as date,
            to_json(struct(*)) as row_text
        from {{ rows }}
        where {{ column }} is not null
    ) as texts
    group by date
{%- endmacro %}

{# Deletes the rows of the stale dates and inserts them anew. #}
{% macro replace_dates(target, sql, plan) %}
    {%- set dates = plan.stale | list -%}
    {%- set rows = target ~ ' where ' ~ _in_dates(plan.key, dates) -%}
    {% call statement('begin') %}select 1{% endcall %}
    {%- set before = dates_of_rows(plan.dated_by[1:], rows) -%}
    {% do run_query('delete from ' ~ rows) %}
    {% call statement('main') %}
        insert into {{ target }} by name
        {{ _in_order(_for_dates(sql, target, plan.key, dates), plan.key, dates) }}
    {% endcall %}
    {%- set after = dates_of_rows(plan.dated_by[1:], rows) -%}
    {{ return(come_and_gone(come=after, gone=before)) }}
{% endmacro %}

{# The same with a `unique_key`: a row of another date that the model yields replaces the one of the
   same key. The model may ask for the rows that the table has so far. #}
{% macro replace_dates_and_keys(target, sql, plan, unique_key) %}
    {%- set dates = plan.stale | list -%}
    {%- set fresh = make_temp_relation(target) -%}
    {% call statement('main') %}
        {{ create_table_as(True, fresh, _for_dates(sql, target, plan.key, dates)) }}
    {% endcall %}
    {%- set rows_of_dates = target ~ ' where ' ~ _in_dates(plan.key, dates) -%}
    {%- set rows_of_keys -%}
        {{ target }}
        where
            {{ plan.key }} in (select {{ plan.key }} from {{ fresh }})
            and {{ unique_key }} in (select {{ unique_key }} from {{ fresh }})
    {%- endset -%}
    {%- set before = dates_of_rows(plan.dated_by[1:], rows_of_dates, rows_of_keys) -%}
    {%- set after = dates_of_rows(plan.dated_by, fresh) -%}
    {% do run_query('delete from ' ~ rows_of_dates) %}
    {% do run_query('delete from ' ~ rows_of_keys) %}
    {% do run_query(
        'insert into ' ~ target ~ ' by name ' ~ _in_order('select * from ' ~ fresh, plan.key)
    ) %}
    {% do run_query('drop table ' ~ fresh) %}
    {%- set written = after.pop(plan.key) -%}
    {%- set touched = come_and_gone(come=after, gone=before) -%}
    {%- do touched.update({
        plan.key ~ ' rows': {'come': written, 'gone': (dates + written) | unique | list}
    }) -%}
    {{ return(touched) }}
{% endmacro %}

{# The dates that rows (what follows `from`; further ones may be given) have in each of the columns. #}
{% macro dates_of_rows(columns, rows) %}
    {%- set found = {} -%}
    {%- set queries = [] -%}
    {%- for column in columns -%}
        {%- do found.update({column: []}) -%}
        {%- for each in (rows,) + varargs -%}
            {%- do queries.append(
                "select '" ~ column ~ "' as dated_by, cast(" ~ column ~ " as string) as date"
                ~ ' from (select distinct ' ~ column ~ ' from ' ~ each ~ ') where ' ~ column
                ~ ' is not null'
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if queries -%}
        {%- for row in run_query(queries | join(' union ')).rows -%}
            {%- do found[row[0]].append(row[1] | string) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{% endmacro %}

{# What is noted of the dates of other columns than the one that the table is rebuilt by: both those of
   rows that come and those of rows that go are touched, by this invocation. #}
{% macro come_and_gone(come, gone=none) %}
    {%- set touched = {} -%}
    {%- for column, dates in come.items() -%}
        {%- set all_dates = (dates + (gone or {}).get(column, [])) | unique | list -%}
        {%- do touched.update({column: {'come': all_dates, 'gone': all_dates}}) -%}
    {%- endfor -%}
    {{ return(touched) }}
{% endmacro %}
