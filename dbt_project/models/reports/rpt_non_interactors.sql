with

by_month as (

    select * from {{ ref('int_item_users_by_month') }}

),

by_user as (

    {{ sums_of_item_users('by_month') }}

),

without_interaction as (

    select
        *,
        item_name_without_id as name_in_events,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key
    from by_user
    where interactions = 0

),

items as (

    select * from {{ ref('dim_items') }}

),

named as (

    {{ with_item_names('without_interaction', 'items') }}

),

final as (

    select
        ---------- key
        system_id,
        item_key,
        end_user_id,

        ---------- item
        item_type,
        item_id,
        item_name,

        ---------- exposures
        exposures,
        sessions_exposed,
        first_exposed_at,
        last_exposed_at
    from named

)

select * from final
