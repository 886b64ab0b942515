{{ config(meta={'dated_by': ['event_date']}) }}
with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where {{ is_stale('event_date') }}

),

accepted_lines as (

    select
        event_date,
        dump_date,
        source_file,
        count(*) as lines
    from item_events
    group by event_date, dump_date, source_file

)

select * from accepted_lines
