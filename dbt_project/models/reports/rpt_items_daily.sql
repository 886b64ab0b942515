with

item_events as (

    select
        *,
        {{ report_date('occurred_at') }} as report_date
    from {{ ref('fct_item_events') }}
    where environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

totals as (

    select
        report_date,
        system_id,
        item_type,
        item_id,
        {{ latest('item_name') }} as item_name,
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
    group by report_date, system_id, item_type, item_id

),

final as (

    select
        ---------- key
        totals.report_date,
        totals.system_id,
        totals.item_type,
        totals.item_id,

        ---------- item
        coalesce(items.item_name, totals.item_name) as item_name,

        ---------- counts
        totals.exposures,
        totals.interactions,
        totals.outcomes,
        totals.end_users_exposed,
        totals.end_users_interacted,
        totals.sessions_exposed,
        totals.sessions_interacted,
        totals.sessions_exposed_or_interacted,
        {{ rate('totals.sessions_interacted', 'totals.sessions_exposed_or_interacted') }}
            as interaction_rate
    from totals
    left join items
        on
            totals.system_id = items.system_id
            and totals.item_id = items.item_id

)

select * from final
