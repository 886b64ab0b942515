{# The project's own form of dbt's `incremental`: a table that remembers what it was built from, and
   is rebuilt where that differs now.

   `audit.versions` holds, per table, the inputs that each of its dates was built from, written in the
   transaction that wrote the rows. A build compares them with what lies upstream now and replaces the
   dates that differ, those that became empty included, and no others. So every way of building, whole
   or in part, late or twice, ends in the rows of a full rebuild, and what stands already costs next to
   nothing.

   `dated_by` names date columns: the first is the one that the table is rebuilt by, the others are
   dates that tables downstream are rebuilt by. Without it a table is rebuilt as a whole. The model
   says with `is_stale()` which of its inputs have the dates. `refreshes` names models whose changes a
   hook brings in, so that they call for no rebuild. #}
{% materialization incremental, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set dated_by = model.config.meta.get('dated_by') or [] -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set plan = plan_of_build(existing, compiled_code, dated_by) -%}
    {% if plan.is_whole %}
        {% if existing is not none %}
            {% call statement('begin') %}select 1{% endcall %}
            {% do adapter.drop_relation(existing) %}
        {% endif %}
        {% do build_whole(target, compiled_code, plan) %}
    {% elif plan.dates and config.get('unique_key') %}
        {% do replace_dates_and_keys(
            target, compiled_code, dated_by, plan.dates, config.get('unique_key')
        ) %}
    {% elif plan.dates %}
        {% do replace_dates(target, compiled_code, dated_by, plan.dates) %}
    {% else %}
        {% call statement('main') %}select 1{% endcall %}
    {% endif %}
    {% do run_query(note_build(target, plan, dated_by)) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# The project's own form of dbt's `view`: what it says is part of what the tables that read it are
   built from. #}
{% materialization view, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set plan = plan_of_build(existing, compiled_code, []) -%}
    {% if plan.is_whole %}
        {% if existing is not none %}
            {% call statement('begin') %}select 1{% endcall %}
            {% do adapter.drop_relation(existing) %}
        {% endif %}
        {% call statement('main') %}
            {{ create_view_as(target, compiled_code) }}
        {% endcall %}
    {% else %}
        {% call statement('main') %}select 1{% endcall %}
    {% endif %}
    {% do run_query(note_build(target, plan, [])) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

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
    {{ column }} in (
        {%- for date in dates %}date '{{ date }}'{{ ', ' if not loop.last }}{% endfor -%}
    )
{%- endmacro %}

{# The UTC dates that days of another time zone may touch. #}
{% macro _with_neighbours(dates) -%}
    {%- set found = [] -%}
    {%- for date in dates -%}
        {%- set day = modules.datetime.datetime.strptime(date, '%Y-%m-%d') -%}
        {%- for days in [-1, 0, 1] -%}
            {%- do found.append((day + modules.datetime.timedelta(days=days)).strftime('%Y-%m-%d')) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found | unique | sort) }}
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
            {%- set among = dates if found.group(1) == key else _with_neighbours(dates) -%}
            {%- do parts.append(_in_dates(found.group(1), among)) -%}
        {%- endif -%}
        {%- set at.end = found.end() -%}
    {%- endfor -%}
    {%- do parts.append(sql[at.end:]) -%}
    {{ return(parts | join('')) }}
{%- endmacro %}

{# Builds all rows; those of a long history some dates at a time, so that it needs no more memory than
   a few large days do. #}
{% macro build_whole(target, sql, plan) %}
    {%- set batches = [] if config.get('unique_key') else batches_of_dates(plan) -%}
    {% for dates in batches or [none] %}
        {%- set of_dates = sql if batches | length < 2 else _for_dates(sql, target, plan.key, dates) -%}
        {%- set rows = _in_order(of_dates, plan.key, dates) -%}
        {% if loop.first %}
            {% call statement('main') %}
                {{ create_table_as(False, target, rows) }}
            {% endcall %}
        {% else %}
            {% do run_query('insert into ' ~ target ~ ' by name ' ~ rows) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{# Deletes the rows of the dates and inserts them anew. #}
{% macro replace_dates(target, sql, dated_by, dates) %}
    {%- set key = dated_by[0] -%}
    {%- set rows = target ~ ' where ' ~ _in_dates(key, dates) -%}
    {% call statement('begin') %}select 1{% endcall %}
    {% for column in dated_by[1:] %}
        {% do note_touched_dates(target, column, rows) %}
    {% endfor %}
    {% do run_query('delete from ' ~ rows) %}
    {% call statement('main') %}
        insert into {{ target }} by name
        {{ _in_order(_for_dates(sql, target, key, dates), key, dates) }}
    {% endcall %}
    {% for column in dated_by[1:] %}
        {% do note_touched_dates(target, column, rows) %}
    {% endfor %}
{% endmacro %}

{# The same with a `unique_key`: a row of another date that the model yields replaces the one of the
   same key. The model may ask for the rows that the table has so far. #}
{% macro replace_dates_and_keys(target, sql, dated_by, dates, unique_key) %}
    {%- set key = dated_by[0] -%}
    {%- set fresh = make_temp_relation(target) -%}
    {% call statement('main') %}
        {{ create_table_as(True, fresh, _for_dates(sql, target, key, dates)) }}
    {% endcall %}
    {%- set rows_of_dates = target ~ ' where ' ~ _in_dates(key, dates) -%}
    {%- set rows_of_keys -%}
        {{ target }}
        where
            {{ key }} in (select {{ key }} from {{ fresh }})
            and {{ unique_key }} in (select {{ unique_key }} from {{ fresh }})
    {%- endset -%}
    {% do note_touched_rows(target, key, fresh, dates) %}
    {% for column in dated_by[1:] %}
        {% for rows in [rows_of_dates, rows_of_keys, fresh] %}
            {% do note_touched_dates(target, column, rows) %}
        {% endfor %}
    {% endfor %}
    {% do run_query('delete from ' ~ rows_of_dates) %}
    {% do run_query('delete from ' ~ rows_of_keys) %}
    {% do run_query(
        'insert into ' ~ target ~ ' by name ' ~ _in_order('select * from ' ~ fresh, key)
    ) %}
    {% do run_query('drop table ' ~ fresh) %}
{% endmacro %}
