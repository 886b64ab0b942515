{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

resources as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('started_at') }} as report_date
    from {{ ref('fct_resources') }}
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

    {{ with_people('resources', 'people_of_days') }}

),

totals as (

    select
        report_date,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        item_type,
        item_id,
        {{ last_by('item_name', ['started_at', 'item_name']) }} as name_in_events,
        count(*) as plays,
        count(distinct session_id) as sessions,
        count(distinct end_user_id) as end_users,
        {{ count_people() }} as people,
        count(*) filter (where is_user_initiated) as user_initiated_plays,
        count(*) filter (where not is_user_initiated) as system_initiated_plays,
        count(*) filter (where is_user_initiated is null) as plays_of_unknown_initiator,
        count(is_user_initiated) as plays_of_known_initiator
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

        ---------- counts
        plays,
        sessions,
        end_users,
        people,
        user_initiated_plays,
        system_initiated_plays,
        plays_of_unknown_initiator,

        ---------- rates
        plays_of_known_initiator,
        {{ rate('user_initiated_plays', 'plays_of_known_initiator') }}
            as user_initiated_rate
    from named

)

select * from final
