{{ config(meta={'dated_by': ['home_month'], 'ordered_by': ['end_user_id', 'item_id']}) }}
with

by_home as (

    select * from {{ ref('int_item_users_by_home') }}
    where {{ is_stale('home_month') }}

),

by_month as (

    {{ sums_of_item_users('by_home', by=['home_month']) }}

)

select * from by_month
