{{ config(meta={'digested_by': ['report_date']}) }}
with

by_home as (

    select * from {{ ref('int_item_users_by_home') }}

),

people as (

    select * from {{ ref('int_people') }}

),

-- Under whichever id that was. Who used the parts of an item only has not met it.
item_people as (

    select
        by_home.system_id,
        by_home.item_type,
        by_home.item_id,
        by_home.item_name_without_id,
        people.person_id,
        min(coalesce(by_home.met_later_at, by_home.first_exposed_at)) as first_met_at
    from by_home
    left join people
        on by_home.end_user_id = people.end_user_id
    where by_home.is_met
    group by
        by_home.system_id,
        by_home.item_type,
        by_home.item_id,
        by_home.item_name_without_id,
        people.person_id

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
