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
        count(distinct session_id) filter (where engagement = 'exposure') as sessions_exposed,
        count(distinct session_id) filter (where engagement = 'interaction')
            as sessions_interacted,
        count(distinct session_id) filter (where engagement in ('exposure', 'interaction'))
            as sessions_exposed_or_interacted
    from item_events
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
        exposures,
        interactions,
        outcomes,
        end_users_exposed,
        end_users_interacted,
        sessions_exposed,
        sessions_interacted,
        sessions_exposed_or_interacted,
        {{ rate('sessions_interacted', 'sessions_exposed_or_interacted') }}
            as interaction_rate
    from named

)

select * from final
