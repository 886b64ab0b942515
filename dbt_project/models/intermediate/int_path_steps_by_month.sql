{{ config(meta={'dated_by': ['home_month'], 'ordered_by': ['item_key', 'place']}) }}
with

by_home as (

    select * from {{ ref('int_path_steps_by_home') }}
    where {{ is_stale('home_month') }}

),

by_month as (

    select
        home_month,
        system_id,
        item_key,
        place,
        next_item_key,
        cast(sum(sessions) as bigint) as sessions
    from by_home
    group by home_month, system_id, item_key, place, next_item_key

)

select * from by_month
