{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('occurred_at') }} as report_date
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

first_times as (

    select * from {{ ref('int_first_times_of_items') }}
    where {{ is_stale('report_date') }}

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

with_people as (

    {{ with_people('item_events', 'people_of_days') }}

),

totals as (

    select
        report_date,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        item_type,
        item_id,
        {{ latest('item_name') }} as name_in_events,
        count(*) filter (where engagement = 'exposure') as exposures,
        count(*) filter (where engagement = 'interaction') as interactions,
        count(*) filter (where engagement = 'outcome') as outcomes,
        count(distinct end_user_id) filter (where engagement = 'exposure') as end_users_exposed,
        count(distinct end_user_id) filter (where engagement = 'interaction')
            as end_users_interacted,
        {{ count_people("engagement in ('exposure', 'interaction')") }} as people,
        {{ count_people("engagement = 'exposure'") }} as people_exposed,
        {{ count_people("engagement = 'interaction'") }} as people_interacted,
        count(distinct session_id) filter (where engagement = 'exposure') as sessions_exposed,
        count(distinct session_id) filter (where engagement = 'interaction')
            as sessions_interacted,
        count(distinct session_id) filter (where engagement in ('exposure', 'interaction'))
            as sessions_exposed_or_interacted
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
        named.report_date,
        named.system_id,
        named.item_key,

        ---------- item
        named.item_type,
        named.item_id,
        named.item_name,
        named.name_in_events,

        ---------- counts
        named.exposures,
        named.interactions,
        named.outcomes,
        named.end_users_exposed,
        named.end_users_interacted,
        named.sessions_exposed,
        named.sessions_interacted,
        named.sessions_exposed_or_interacted,
        {{ rate('named.sessions_interacted', 'named.sessions_exposed_or_interacted') }}
            as interaction_rate,

        ---------- people
        named.people,
        named.people_exposed,
        named.people_interacted,
        coalesce(first_times.first_time_people, 0) as first_time_people,
        named.people - coalesce(first_times.first_time_people, 0) as returning_people
    from named
    left join first_times
        on
            named.report_date = first_times.report_date
            and named.item_key = first_times.item_key

)

select * from final
