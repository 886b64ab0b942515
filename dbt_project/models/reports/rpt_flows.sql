with

people as (

    select * from {{ ref('int_people') }}

),

flow_plays as (

    select
        *,
        {{ flow_play_columns() }}
    from {{ ref('fct_flow_plays') }}
    where environment = 'production'

),

with_people as (

    select
        flow_plays.*,
        people.person_id
    from flow_plays
    left join people
        on flow_plays.end_user_id = people.end_user_id

),

items as (

    select * from {{ ref('dim_items') }}

),

totals as (

    select
        {{ flow_totals(people='count(distinct person_id)') }}
    from with_people
    group by system_id, item_type, item_id, item_name_without_id

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        ---------- key
        system_id,
        item_key,

        ---------- item
        item_type,
        item_id,
        item_name,
        flow_kind,

        {{ flow_results() }}
    from named

)

select * from final
