{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

flow_plays as (

    select
        *,
        {{ report_date('started_at') }} as report_date,
        {{ flow_play_columns() }}
    from {{ ref('fct_flow_plays') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

with_people as (

    {{ with_people('flow_plays', 'people_of_days') }}

),

totals as (

    select
        report_date,
        {{ flow_totals(people=count_people()) }}
    from with_people
    where {{ is_stale('report_date') }}
    group by report_date, system_id, item_type, item_id, item_name_without_id

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        ---------- key
        report_date,
        system_id,
        item_key,

        ---------- item
        item_type,
        item_id,
        item_name,
        name_in_events,
        flow_kind,

        {{ flow_results() }}
    from named

)

select * from final
