{{ config(meta={'dated_by': ['event_date']}) }}
with

item_events as (

    select
        event_key,
        event_date,
        dump_date,
        source_file,
        source_row
    from {{ ref('stg_item_events') }}
    where {{ is_stale('event_date') }}

),

-- Few keys come twice, so only these few are ranked, and no column but the key is grouped.
repeated_keys as (

    select event_key
    from item_events
    group by event_key
    having count(*) > 1

),

deliveries as (

    select
        event_key,
        event_date,
        dump_date,
        source_file,
        source_row,
        cast(
            row_number() over (
                partition by event_key
                order by dump_date, source_file, source_row
            ) as bigint
        ) as delivery
    from item_events
    where event_key in (select repeated_keys.event_key from repeated_keys)

),

later_deliveries as (

    select
        dump_date,
        source_file,
        source_row,
        event_date,
        event_key,
        delivery
    from deliveries
    where delivery > 1

)

select * from later_deliveries
