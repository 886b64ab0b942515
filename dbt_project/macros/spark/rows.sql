{# The rows of a table of Iceberg: built as a whole, or the dates that are stale. One commit each, in
   the order that macros/spark/notes.sql explains. #}

{# All rows. The table has the columns that its contract says, if it has one; else the model's. #}
{% macro spark_build_whole(target, sql, plan) %}
    {%- set dated -%}
        using iceberg
        {% if plan.key %}partitioned by ({{ plan.key }}){% endif %}
        tblproperties ('walkhouse.notes' = '')
    {%- endset -%}
    {%- if config.get('contract').enforced -%}
        {%- do run_query(
            'create or replace table ' ~ target ~ ' (' ~ spark_columns() ~ ') ' ~ dated
            ~ ' comment ' ~ literal(model.description)
        ) -%}
        {% call statement('main') %}
            insert into {{ target }}
            {{ spark_select(sql) }}
        {% endcall %}
    {%- else -%}
        {% call statement('main') %}
            create or replace table {{ target }}
            {{ dated }}
            as
            {{ sql }}
        {% endcall %}
    {%- endif -%}
    {%- set built = spark_built(target, plan) -%}
    {%- set touched = come_and_gone(come=built.dates) -%}
    {%- if config.get('unique_key') -%}
        {%- do touched.update({
            plan.key ~ ' rows': {'come': built.rows | list, 'gone': []}
        }) -%}
    {%- endif -%}
    {%- do touched.update(digests_of_rows(model.config.meta.get('digested_by') or [], target)) -%}
    {%- do spark_keep_rebuilds(target, plan, built.rows) -%}
    {{ return(touched) }}
{% endmacro %}

{# The rows of the stale dates, replaced by what the model has of them now, be it nothing. #}
{% macro spark_replace_dates(target, sql, plan) %}
    {%- set in_dates = _in_dates(plan.key, plan.stale) -%}
    {%- set before = dates_of_rows(plan.dated_by[1:], target ~ ' where ' ~ in_dates) -%}
    {%- do spark_mark(target, plan, before) -%}
    {% call statement('main') %}
        insert into {{ target }} replace where {{ in_dates }}
        {{ spark_select(_for_dates(sql, target, plan.key, plan.stale | list)) }}
        where {{ in_dates }}
    {% endcall %}
    {%- set built = spark_built(target, plan) -%}
    {%- do spark_keep_rebuilds(target, plan, built.rows) -%}
    {{ return(come_and_gone(come=built.dates, gone=before)) }}
{% endmacro %}

{# The same with a `unique_key`: a row of another date that the model yields replaces the one of the
   same key. The dates that have such rows are replaced with all their rows, in the same commit. #}
{% macro spark_replace_dates_and_keys(target, sql, plan, unique_key) %}
    {%- set dates = plan.stale | list -%}
    {%- set fresh = spark_between(
        target.identifier, spark_with_homes(_for_dates(sql, target, plan.key, dates))
    ) -%}
    {%- set after = dates_of_rows(plan.dated_by, fresh) -%}
    {%- set written = after.pop(plan.key) -%}
    {%- set in_dates = _in_dates(plan.key, (dates + written) | unique | list) -%}
    {%- set rows_of_dates = target ~ ' where ' ~ _in_dates(plan.key, dates) -%}
    {%- set rows_of_keys -%}
        {{ target }} where {{ in_dates }} and {{ unique_key }} in (select {{ unique_key }} from {{ fresh }})
    {%- endset -%}
    {%- set before = dates_of_rows(plan.dated_by[1:], rows_of_dates, rows_of_keys) -%}
    {%- set touched = come_and_gone(come=after, gone=before) -%}
    {%- do touched.update({
        plan.key ~ ' rows': {'come': written, 'gone': (dates + written) | unique | list}
    }) -%}
    {%- set all_touched = {} -%}
    {%- for column, of_column in touched.items() -%}
        {%- do all_touched.update({column: of_column.gone}) -%}
    {%- endfor -%}
    {%- do spark_mark(target, plan, all_touched) -%}
    {% call statement('main') %}
        insert into {{ target }} replace where {{ in_dates }}
        select * from {{ fresh }}
        union all
        select * from {{ target }} as kept
        where
            {{ in_dates }}
            and not {{ _in_dates(plan.key, dates) }}
            and not exists (
                select 1 from {{ fresh }} as fresh where fresh.{{ unique_key }} = kept.{{ unique_key }}
            )
    {% endcall %}
    {%- set built = spark_built(target, plan) -%}
    {%- do spark_keep_rebuilds(target, plan, built.rows) -%}
    {{ return(touched) }}
{% endmacro %}

{# The columns of the contract, with types, nulls and descriptions. #}
{% macro spark_columns() -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set is_required = column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
        {%- do columns.append(
            adapter.quote(column.name) ~ ' ' ~ column.data_type
            ~ (' not null' if is_required) ~ ' comment ' ~ literal(comment_of_column(column))
        ) -%}
    {%- endfor -%}
    {{ columns | join(', ') }}
{%- endmacro %}

{# The model's rows, in the order of the table's columns. #}
{% macro spark_select(sql) -%}
    {%- set columns = [] -%}
    {%- if config.get('contract').enforced -%}
        {%- for column in model.columns.values() -%}
            {%- do columns.append(adapter.quote(column.name)) -%}
        {%- endfor -%}
    {%- endif -%}
    select {{ columns | join(', ') or '*' }} from (
        {{ sql }}
    ) as built
{%- endmacro %}

{# What stands in the table of the dates that were built: its rows by date of the key, and the dates
   of the other columns. #}
{% macro spark_built(target, plan) %}
    {%- set columns = plan.dated_by -%}
    {%- set shown = [] -%}
    {%- for column in columns -%}
        {%- do shown.append('cast(' ~ column ~ ' as string)') -%}
    {%- endfor -%}
    {%- set query -%}
        select {{ (shown + ['count(*)']) | join(', ') }}
        from {{ target }}
        {% if plan.key and not plan.why_whole %}where {{ _in_dates(plan.key, plan.stale) }}{% endif %}
        {% if columns %}group by {{ columns | join(', ') }}{% endif %}
    {%- endset -%}
    {%- set rows = {} -%}
    {%- set dates = {} -%}
    {%- for column in columns[1:] -%}
        {%- do dates.update({column: []}) -%}
    {%- endfor -%}
    {%- for row in run_query(query).rows -%}
        {%- set key = row[0] | string if columns else '' -%}
        {%- do rows.update({key: rows.get(key, 0) + row[columns | length] | int}) -%}
        {%- for column in columns[1:] if row[loop.index] is not none -%}
            {%- if row[loop.index] | string not in dates[column] -%}
                {%- do dates[column].append(row[loop.index] | string) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return({'rows': rows, 'dates': dates}) }}
{% endmacro %}

{# Descriptions that changed while the rows did not. #}
{% macro spark_describe(target) %}
    {%- do run_query(
        'comment on table ' ~ target ~ ' is ' ~ literal(model.description)
    ) -%}
    {%- for column in model.columns.values() -%}
        {%- do run_query(
            'alter table ' ~ target ~ ' alter column ' ~ adapter.quote(column.name)
            ~ ' comment ' ~ literal(comment_of_column(column))
        ) -%}
    {%- endfor -%}
{% endmacro %}
