{# The same materialization on Spark, over tables of Iceberg; see macros/spark. Views there are none:
   `as_view` has their queries be a part of those that read them. #}
{% materialization incremental, adapter='spark' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set dated_by = model.config.meta.get('dated_by') or [] -%}

    {{ run_hooks(pre_hooks) }}
    {%- set plan = plan_of_build(existing, compiled_code, dated_by) -%}
    {% if plan.why_whole %}
        {%- set touched = spark_build_whole(target, spark_with_homes(compiled_code), plan) -%}
        {{ spark_note(target, plan, touched, post_hooks) }}
    {% elif plan.stale and config.get('unique_key') %}
        {%- set touched = spark_replace_dates_and_keys(
            target, compiled_code, plan, config.get('unique_key')
        ) -%}
        {{ spark_note(target, plan, touched, post_hooks) }}
    {% elif plan.stale %}
        {%- set touched = spark_replace_dates(target, compiled_code, plan) -%}
        {{ spark_note(target, plan, touched, post_hooks) }}
    {% elif plan.is_described_anew or post_hooks %}
        {%- if plan.is_described_anew -%}
            {%- do spark_describe(target) -%}
        {%- endif -%}
        {% call statement('main') %}select 1{% endcall %}
        {{ spark_note(target, plan, {}, post_hooks) }}
    {% else %}
        {%- do store_raw_result('main', message='current', code='', rows_affected=0) -%}
        {%- do notes().current.append(target) -%}
    {% endif %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# A seed is loaded where its file is another one than that which was loaded. dbt's own way does not
   escape quotes, and has the text `None` for nulls. #}
{% materialization seed, adapter='spark' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set table_name = _table_name(this) -%}
    {%- set rows = load_agate_table() -%}
    {#- dbt shows it. -#}
    {%- do store_result('agate_table', response='OK', agate_table=rows) -%}
    {%- set noted = notes().versions.get(table_name, {}).get('', {}).get('') -%}
    {%- if load_cached_relation(this) and noted == version_of_seed() and not flags.FULL_REFRESH -%}
        {%- do store_raw_result('main', message='current', code='', rows_affected=0) -%}
    {%- else -%}
        {% call statement('main') %}
            create or replace table {{ target }}
            using iceberg
            tblproperties ('walkhouse.notes' = '')
            as
            {{ spark_seed_rows(rows) }}
        {% endcall %}
        {%- do keep_notes(table_name, {'': {'gone': [''], 'new': {
            '': {'version': version_of_seed(), 'inputs': []}
        }}}) -%}
        {%- do spark_write_notes(target, notes().versions[table_name]) -%}
    {%- endif -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% macro spark_seed_rows(rows) -%}
    {%- set types = model.config.get('column_types', {}) -%}
    {%- set columns = [] -%}
    {%- for name in rows.column_names -%}
        {%- do columns.append('cast(' ~ name ~ ' as ' ~ types.get(name, 'string') ~ ') as ' ~ name) -%}
    {%- endfor %}
    select {{ columns | join(', ') }}
    from (
        values
        {#- A seed without rows has one of nulls, which is left out. #}
        {% for row in rows.rows or [rows.column_names] -%}
        (
            {%- for name in rows.column_names -%}
            {%- set value = row[name] if rows.rows else none -%}
            {{ 'null' if value is none else literal(value | string) }}{{ ', ' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {% endfor %}
    ) as seed ({{ rows.column_names | join(', ') }})
    {%- if not rows.rows %} where false{% endif %}
{%- endmacro %}
