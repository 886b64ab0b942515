{{ config(meta={'digested_by': ['report_date']}) }}
with

item_people as (

    select * from {{ ref('int_item_people') }}
    where first_met_at is not null

),

totals as (

    select
        {{ report_date('first_met_at') }} as report_date,
        system_id,
        item_type,
        item_id,
        item_name_without_id,
        count(*) as first_time_people
    from item_people
    group by
        {{ report_date('first_met_at') }},
        system_id,
        item_type,
        item_id,
        item_name_without_id

),

final as (

    select
        report_date,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        first_time_people
    from totals

)

select * from final
