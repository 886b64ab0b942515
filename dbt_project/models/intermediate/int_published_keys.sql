{{ config(materialized=as_view(of_many_tables=true)) }}
with

{% set queries = [] -%}
{% for table, key in published_keys().items() if not has_keys_by_home(table) -%}
{% do queries.append(key_counts(table, key)) -%}
{% endfor -%}
keys_without_homes as (

    {{ queries | join('\n    union all\n\n    ') }}

),

keys_by_home as (

    select
        home_date,
        table_name,
        copies,
        key_values,
        keys
    from {{ ref('int_published_keys_by_home') }}

),

-- Rows of one key would not meet if what they are of had two homes.
homes as (

    {{ key_homes('session_id') }}
    union all

    {{ key_homes('flow_play_id') }}

),

published_keys as (

    select * from keys_without_homes

    union all

    select * from keys_by_home

    union all

    select * from homes

)

select * from published_keys
