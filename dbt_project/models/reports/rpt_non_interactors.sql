with

by_month as (

    select * from {{ ref('int_item_users_by_month') }}

),

by_user as (

    {{ sums_of_item_users('by_month') }}

),

without_interaction as (

    select * from by_user
    where interactions = 0

),

items as (

    select * from {{ ref('dim_items') }}

),

-- What has no id is one item per type, with the latest name that its events give.
names_without_id as (

    select
        system_id,
        item_type,
        {{ last_by('name_in_events', ['report_date']) }} as item_name
    from {{ ref('rpt_items_daily') }}
    where item_id is null
    group by system_id, item_type

),

named as (

    select
        without_interaction.*,
        coalesce(without_interaction.type_without_id, items.item_type) as item_type,
        coalesce(names_without_id.item_name, items.item_name) as item_name
    from without_interaction
    left join items
        on
            without_interaction.system_id = items.system_id
            and without_interaction.item_id = items.item_id
    left join names_without_id
        on
            without_interaction.system_id = names_without_id.system_id
            and without_interaction.type_without_id = names_without_id.item_type

),

final as (

    select
        ---------- key
        system_id,
        item_type,
        item_id,
        end_user_id,

        ---------- item
        item_name,

        ---------- exposures
        exposures,
        sessions_exposed,
        first_exposed_at,
        last_exposed_at
    from named

)

select * from final
