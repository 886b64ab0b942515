with

flow_plays as (

    select
        *,
        {{ flow_play_columns() }}
    from {{ ref('fct_flow_plays') }}
    where environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

totals as (

    select
        {{ flow_totals() }}
    from flow_plays
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
