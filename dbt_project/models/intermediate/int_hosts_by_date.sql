{{ config(meta={'dated_by': ['event_date']}) }}
with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where
        {{ is_stale('event_date') }}
        and page_host is not null

),

hosts_by_date as (

    select
        event_date,
        system_id,
        page_host,
        count(*) as events
    from item_events
    group by event_date, system_id, page_host

)

select * from hosts_by_date
