{# What a build of a model has to do: everything, or the dates whose inputs differ, or nothing. #}

{# The plan of a build, from what is noted of the table and what lies upstream now.

   key                the date column that the table is rebuilt by, none for a whole table
   dated_by           all its date columns
   code, description  digests of the model's SQL and of its descriptions
   expected           version and inputs of each date, as they are now
   stale              the dates whose inputs differ, and why
   why_whole          why all of it is rebuilt; none where only the stale dates are
   is_noted           whether anything is noted of the table
   is_described_anew  whether the descriptions of a published table have to be written: they are
                      others, or the table is another #}
{% macro plan_of_build(existing, compiled_code, dated_by) %}
    {%- set table_name = _table_name(this) -%}
    {%- set key = dated_by[0] if dated_by else none -%}
    {%- set kind = 'view' if config.get('materialized') == 'view' else 'table' -%}
    {%- set inputs = {} if kind == 'view' else inputs_of(model, key) -%}
    {%- if key and not inputs.values() | select | list -%}
        {{ exceptions.raise_compiler_error(
            table_name ~ ' is dated by ' ~ key ~ ', and nothing that it reads is'
        ) }}
    {%- endif -%}
    {%- set code = local_md5(compiled_code ~ dated_by ~ (model.config.meta.get('digested_by') or '')) -%}
    {%- set expected = expected_versions(code, inputs, key) -%}
    {%- set noted = notes().versions.get(table_name, {}) -%}
    {%- set built_from = noted.get(key or '', {}) -%}
    {%- set stale = stale_dates(
        expected, built_from, notes().inputs.get(table_name, {}).get(key or '', {})
    ) -%}
    {%- set description = digest_of_descriptions() -%}
    {%- set whole = why_whole(
        existing=existing.type if existing else none,
        wanted=kind,
        is_same_code=noted.get('code', {}).get('') == code,
        stale=stale,
        built_from=built_from,
        is_dated=dated_by | length > 0,
    ) -%}
    {{ return({
        'key': key,
        'dated_by': dated_by,
        'code': code,
        'description': description,
        'expected': expected,
        'stale': stale,
        'why_whole': whole,
        'is_noted': noted | length > 0,
        'is_described_anew': description and (
            whole is not none or description != noted.get('description', {}).get('', '')
        ),
    }) }}
{% endmacro %}

{# The dates that differ, in their order, and why: `expected` by date against the versions and inputs
   that the table was built from. #}
{% macro stale_dates(expected, built_from, inputs) %}
    {%- set stale = {} -%}
    {%- for date in (expected | list + built_from | list) | unique | sort -%}
        {%- if date not in built_from -%}
            {%- do stale.update({date: 'new date'}) -%}
        {%- elif date not in expected -%}
            {%- do stale.update({date: 'nothing left of the date'}) -%}
        {%- elif expected[date].version != built_from[date] -%}
            {%- do stale.update({
                date: changed_inputs(expected[date].inputs, inputs.get(date, [])) ~ ' changed'
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(stale) }}
{% endmacro %}

{# The names of the tables whose versions are in one of the two lists only. #}
{% macro changed_inputs(now, before) %}
    {%- set names = [] -%}
    {%- for input in now | reject('in', before) | list + before | reject('in', now) | list -%}
        {%- do names.append(input.split(' ')[0]) -%}
    {%- endfor -%}
    {{ return(names | unique | sort | join(', ')) }}
{% endmacro %}

{# Why the whole table has to be built, or none: it is not there, somebody asks for it, the model is
   another, or none of its dates can stay as it is. #}
{% macro why_whole(existing, wanted, is_same_code, stale, built_from, is_dated) %}
    {%- if existing is none -%}
        {{ return('first build') }}
    {%- elif should_full_refresh() -%}
        {{ return('full refresh') }}
    {%- elif not is_same_code or existing != wanted -%}
        {{ return('the model changed') }}
    {%- elif stale and (not is_dated or not built_from | reject('in', stale) | list) -%}
        {{ return(stale.values() | first) }}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}

{# A digest of what is said of a published table and its columns; the others have no comments. #}
{% macro digest_of_descriptions() %}
    {%- if not config.get('contract').enforced -%}
        {{ return('') }}
    {%- endif -%}
    {%- set descriptions = [model.description] -%}
    {%- for column in model.columns.values() -%}
        {%- do descriptions.append(column.name ~ comment_of_column(column) ~ column.data_type) -%}
    {%- endfor -%}
    {{ return(local_md5(descriptions | join('\n'))) }}
{% endmacro %}

{# The dates of a whole build in their order, in lists of about as many events as `most`; one empty
   list where there are few events, or no dates. A date counts the events until the next one, since a
   table may be dated by months. #}
{% macro batches_of_dates(dates, events, most) %}
    {%- if events.values() | sum <= most or '' in dates -%}
        {{ return([[]]) }}
    {%- endif -%}
    {%- set events_until_next = {} -%}
    {%- set last = namespace(date=none, events=0) -%}
    {%- for day in (dates | list + events | list) | unique | sort -%}
        {%- if day in dates -%}
            {%- set last.date = day -%}
        {%- endif -%}
        {%- do events_until_next.update({
            last.date: events_until_next.get(last.date, 0) + events.get(day, 0)
        }) -%}
    {%- endfor -%}
    {%- set batches = [] -%}
    {%- for date in dates | sort -%}
        {%- if not batches or last.events + events_until_next[date] > most -%}
            {%- do batches.append([]) -%}
            {%- set last.events = 0 -%}
        {%- endif -%}
        {%- do batches[-1].append(date) -%}
        {%- set last.events = last.events + events_until_next[date] -%}
    {%- endfor -%}
    {{ return(batches or [[]]) }}
{% endmacro %}
