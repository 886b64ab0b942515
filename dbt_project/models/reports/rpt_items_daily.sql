{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
{% set item = 'report_date, system_id, item_type, item_id, item_name_without_id' -%}
with

items_by_date as (

    select
        *,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key
    from {{ ref('int_items_by_report_date') }}
    where
        {{ is_stale('report_date') }}
        and events > 0

),

items as (

    select * from {{ ref('dim_items') }}

),

first_times as (

    select * from {{ ref('int_first_times_of_items') }}
    where {{ is_stale('report_date') }}

),

events_of_several_ids as (

    select * from {{ ref('int_events_of_several_ids') }}
    where
        {{ is_stale('report_date') }}
        and engagement in ('exposure', 'interaction')

),

counted_twice as (

    select
        report_date,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        {{ ids_beyond_people() }} as ids,
        {{ ids_beyond_people("engagement = 'exposure'") }} as ids_exposed,
        {{ ids_beyond_people("engagement = 'interaction'") }} as ids_interacted
    from events_of_several_ids
    group by {{ item }}

),

totals as (

    select
        items_by_date.report_date,
        items_by_date.system_id,
        items_by_date.item_key,
        items_by_date.item_type,
        items_by_date.item_id,
        items_by_date.name_in_production as name_in_events,
        items_by_date.exposures,
        items_by_date.interactions,
        items_by_date.outcomes,
        items_by_date.end_users_exposed,
        items_by_date.end_users_interacted,
        items_by_date.sessions,
        items_by_date.sessions_exposed,
        items_by_date.sessions_interacted,
        items_by_date.end_users - coalesce(counted_twice.ids, 0) as people,
        items_by_date.end_users_exposed - coalesce(counted_twice.ids_exposed, 0)
            as people_exposed,
        items_by_date.end_users_interacted - coalesce(counted_twice.ids_interacted, 0)
            as people_interacted
    from items_by_date
    left join counted_twice
        on
            items_by_date.report_date = counted_twice.report_date
            and items_by_date.item_key = counted_twice.item_key

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
        named.sessions as sessions_exposed_or_interacted,
        {{ rate('named.sessions_interacted', 'named.sessions') }} as interaction_rate,

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
