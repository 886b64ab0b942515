{# What a table would be built from now: what it reads, and the versions of that. #}

{# What a model reads, by table name: the date column to compare it by, or none where any change of it
   counts. A view counts itself, and what it reads; an ephemeral model is part of the model's own SQL,
   so only what it reads counts. `refreshes` names models whose changes a hook brings in. #}
{% macro inputs_of(node, key) %}
    {%- set found = {} -%}
    {%- set refreshes = node.config.meta.get('refreshes') or [] -%}
    {%- for unique_id in parents_through_views(node) -%}
        {%- set input = graph.sources.get(unique_id) or graph.nodes[unique_id] -%}
        {%- if input.name not in refreshes and input.config.materialized != 'ephemeral' -%}
            {%- do found.update({
                (input.source_name or input.schema) ~ '.' ~ (input.alias or input.name):
                column_to_compare(input, key)
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{# What a model reads, and what the views and ephemeral models among that read: unique ids. #}
{% macro parents_through_views(node) %}
    {%- set found = node.depends_on.nodes | list -%}
    {#- The list grows while it is gone through. -#}
    {%- for unique_id in found -%}
        {%- set input = graph.nodes.get(unique_id) -%}
        {%- if input and input.config.materialized in ('view', 'ephemeral') -%}
            {%- for further in input.depends_on.nodes if further not in found -%}
                {%- do found.append(further) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{# By which of its date columns a table that is rebuilt by `key` compares an input: by the same; a
   report date by any other date of events. None: any change of the input counts. #}
{% macro column_to_compare(input, key) %}
    {%- set is_view = input.config.materialized == 'view' -%}
    {%- set meta = input.config.meta -%}
    {%- set dates = [] if is_view else meta.get('dated_by') or meta.get('digested_by') or [] -%}
    {%- set column = key -%}
    {%- if key == 'report_date' and key not in dates -%}
        {%- set column = dates | reject('equalto', 'home_date') | first -%}
    {%- endif -%}
    {%- if column not in dates -%}
        {{ return(none) }}
    {%- endif -%}
    {#- Rows of a table with a `unique_key` also come and go on dates that are not rebuilt. -#}
    {{ return(column ~ ' rows' if input.config.unique_key and column == dates[0] else column) }}
{% endmacro %}

{# What each date would be built from now: version and inputs, by date. A table that is rebuilt as a
   whole has the empty text for its one date. #}
{% macro expected_versions(code, inputs, key) %}
    {%- set whole = inputs_as_a_whole(inputs) -%}
    {%- set dated = inputs_by_date(inputs, key) if key else {'': []} -%}
    {%- set expected = {} -%}
    {%- for date, of_date in dated.items() -%}
        {%- set all_inputs = whole + of_date | sort(case_sensitive=true) -%}
        {%- do expected.update({date: {
            'inputs': all_inputs, 'version': local_md5(code ~ all_inputs | join(','))
        }}) -%}
    {%- endfor -%}
    {{ return(expected) }}
{% endmacro %}

{# Name and digest of each input of which any change counts; of what was never built there is none. #}
{% macro inputs_as_a_whole(inputs) %}
    {%- set noted = notes() -%}
    {%- set found = [] -%}
    {%- for table, column in inputs.items() if column is none and table in noted.versions -%}
        {%- if table not in noted.digests -%}
            {%- set versions = dict(noted.versions[table]) -%}
            {%- do versions.pop('description', none) -%}
            {%- do noted.digests.update({table: local_md5(tojson(versions, sort_keys=true))}) -%}
        {%- endif -%}
        {%- do found.append(table ~ ' ' ~ noted.digests[table]) -%}
    {%- endfor -%}
    {{ return(found | sort(case_sensitive=true)) }}
{% endmacro %}

{# Name and version of each input that has the date, by date. #}
{% macro inputs_by_date(inputs, key) %}
    {%- set noted = notes() -%}
    {%- set found = {} -%}
    {%- for table, column in inputs.items() if column is not none -%}
        {%- set versions = noted.versions.get(table, {}).get(column, {}) -%}
        {%- if key == 'report_date' -%}
            {%- set report_dates = report_dates_of(versions) -%}
            {%- for date, version in versions.items() -%}
                {%- for report_date in report_dates[date] -%}
                    {%- do found.setdefault(report_date, []).append(
                        table ~ ' ' ~ date ~ ' ' ~ version
                    ) -%}
                {%- endfor -%}
            {%- endfor -%}
        {%- else -%}
            {%- for date, version in versions.items() -%}
                {%- do found.setdefault(date, []).append(table ~ ' ' ~ version) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{# The days of the reporting time zone that each UTC date is part of. The database is asked for those
   that nobody asked for before in this invocation. #}
{% macro report_dates_of(dates) %}
    {%- set known = notes().report_dates -%}
    {%- set unknown = dates | reject('in', known) | list -%}
    {%- if unknown -%}
        {%- set asked -%}
            select
                cast(date as string) as date,
                cast({{ report_date('cast(date as timestamp)') }} as string) as first_date,
                cast({{
                    report_date("cast(date as timestamp) + interval '86399999 milliseconds'")
                }} as string) as last_date
            from (values {{ _dates_in_rows(unknown) }}) as dates (date)
        {%- endset -%}
        {%- for row in run_query(asked).rows -%}
            {%- do known.update({row[0] | string: [row[1] | string, row[2] | string] | unique | list}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(known) }}
{% endmacro %}
