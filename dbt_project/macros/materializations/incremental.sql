{# The project's own form of dbt's `incremental`: a table that remembers what it was built from, and
   is rebuilt where that differs now. `docs/incremental.md` explains it with an example.

   The notes (`audit.versions`) hold, per table, the inputs that each of its dates was built from,
   written in the transaction that wrote the rows. A build compares them with what lies upstream now
   and replaces the dates that differ, those that became empty included, and no others. So every way of
   building, whole or in part, late or twice, ends in the rows of a full rebuild, and what stands
   already costs next to nothing.

   `dated_by` names date columns: the first is the one that the table is rebuilt by, the others are
   dates that tables downstream are rebuilt by. Without it a table is rebuilt as a whole, and
   `digested_by` may name dates of its rows: downstream, only those count whose rows differ. The model
   says with `is_stale()` which of its inputs have the dates. `refreshes` names models whose changes a
   hook brings in, so that they call for no rebuild. #}
{% materialization incremental, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set dated_by = model.config.meta.get('dated_by') or [] -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set plan = plan_of_build(existing, compiled_code, dated_by) -%}
    {% if plan.why_whole %}
        {%- set touched = build_whole(existing, target, compiled_code, plan) -%}
        {{ note_and_commit(target, plan, touched, post_hooks) }}
    {% elif plan.stale and config.get('unique_key') %}
        {%- set touched = replace_dates_and_keys(target, compiled_code, plan, config.get('unique_key')) -%}
        {{ note_and_commit(target, plan, touched, post_hooks) }}
    {% elif plan.stale %}
        {%- set touched = replace_dates(target, compiled_code, plan) -%}
        {{ note_and_commit(target, plan, touched, post_hooks) }}
    {% else %}
        {{ leave_as_it_is(target, plan, post_hooks) }}
    {% endif %}
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
    {% if plan.why_whole %}
        {{ begin_without(existing) }}
        {% call statement('main') %}
            {{ create_view_as(target, compiled_code) }}
        {% endcall %}
        {{ note_and_commit(target, plan, {}, post_hooks) }}
    {% else %}
        {{ leave_as_it_is(target, plan, post_hooks) }}
    {% endif %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# dbt's own `seed`, but for one that is loaded already: most builds find all of them as they are. #}
{% materialization seed, adapter='duckdb' %}
    {%- set noted = notes().versions.get(_table_name(this), {}).get('', {}) -%}
    {% if load_cached_relation(this) and noted.get('') == version_of_seed() and not flags.FULL_REFRESH %}
        {#- `dbt seed --show` prints them. -#}
        {%- do store_result('agate_table', response='OK', agate_table=load_agate_table()) -%}
        {%- do store_raw_result('main', message='current', code='', rows_affected=0) -%}
        {{ return({'relations': [this.incorporate(type='table')]}) }}
    {% endif %}
    {{ return(dbt.materialization_seed_default()) }}
{% endmaterialization %}

{# Notes what was built in the transaction that built it, and ends that. #}
{% macro note_and_commit(target, plan, touched, post_hooks) %}
    {%- set changes = changes_of_notes(plan, touched) -%}
    {%- do write_notes(target, plan, changes) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {%- do keep_notes(_table_name(target), changes, is_whole=plan.why_whole is not none) -%}
    {%- do notes().current.append(target) -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
{% endmacro %}

{# A table that is current needs no statement, unless its descriptions or what its hooks bring in are
   other ones. dbt wants a `main` statement of every model. #}
{% macro leave_as_it_is(target, plan, post_hooks) %}
    {%- if post_hooks or plan.is_described_anew -%}
        {% call statement('main') %}select 1{% endcall %}
        {{ note_and_commit(target, plan, {}, post_hooks) }}
    {%- else -%}
        {%- do store_raw_result('main', message='current', code='', rows_affected=0) -%}
        {%- do notes().current.append(target) -%}
    {%- endif -%}
{% endmacro %}

{# Begins the transaction of a build, in which what stood before goes. #}
{% macro begin_without(existing) %}
    {%- if existing is not none -%}
        {% call statement('begin') %}select 1{% endcall %}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
{% endmacro %}
