{{ config(materialized=as_view()) }}
{% set columns = [
    'event_key',
    'event_date',
    'system_id',
    'session_id',
    'item_id',
    'item_type',
    'event',
    'is_beyond_cap',
    'detail',
    'events',
] -%}
with

cap_verdicts as (

    select {{ columns | join(', ') }}
    from {{ ref('int_capped_events') }}
    where cap_hours is null

    union all

    select {{ columns | join(', ') }}
    from {{ ref('int_spaced_events') }}

)

select * from cap_verdicts
