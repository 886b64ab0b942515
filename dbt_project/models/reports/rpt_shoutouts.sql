with

shoutouts as (

    select
        *,
        {{ report_date('first_event_at') }} as report_date
    from {{ ref('fct_shoutouts') }}
    where environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

totals as (

    select
        report_date,
        system_id,
        item_id,
        {{ latest('item_name', at='last_event_at', key='shoutout_key') }} as item_name,
        count(*) as sessions,
        count(distinct end_user_id) as end_users,
        cast(sum(shown) as bigint) as shown,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(closes) as bigint) as closes,
        cast(sum(action_clicks) as bigint) as action_clicks,
        cast(sum(action_closes) as bigint) as action_closes,
        count(*) filter (where result = 'clicked') as sessions_clicked,
        count(*) filter (where result = 'snoozed') as sessions_snoozed,
        count(*) filter (where result = 'dismissed') as sessions_dismissed,
        count(*) filter (where result = 'ignored') as sessions_ignored
    from shoutouts
    group by report_date, system_id, item_id

),

final as (

    select
        ---------- key
        totals.report_date,
        totals.system_id,
        totals.item_id,

        ---------- item
        coalesce(items.item_name, totals.item_name) as item_name,

        ---------- counts
        totals.sessions,
        totals.end_users,
        totals.shown,
        totals.clicks,
        totals.closes,
        totals.action_clicks,
        totals.action_closes,

        ---------- results
        totals.sessions_clicked,
        totals.sessions_snoozed,
        totals.sessions_dismissed,
        totals.sessions_ignored,
        {{ rate('totals.sessions_clicked', 'totals.sessions') }} as click_rate,
        {{ rate('totals.sessions_snoozed', 'totals.sessions') }} as snooze_rate,
        {{ rate('totals.sessions_dismissed', 'totals.sessions') }} as dismissal_rate
    from totals
    left join items
        on
            totals.system_id = items.system_id
            and totals.item_id = items.item_id

)

select * from final
