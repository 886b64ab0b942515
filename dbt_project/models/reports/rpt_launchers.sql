with

launchers as (

    select
        *,
        {{ report_date('first_event_at') }} as report_date
    from {{ ref('fct_launchers') }}
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
        {{ latest('item_name', at='last_event_at', key='launcher_key') }} as item_name,
        count(*) as sessions,
        count(distinct end_user_id) as end_users,
        count(distinct end_user_id) filter (where clicks > 0) as end_users_clicked,
        cast(sum(shown) as bigint) as shown,
        cast(sum(clicks) as bigint) as clicks,
        count(*) filter (where shown > 0) as sessions_shown,
        count(*) filter (where clicks > 0) as sessions_clicked
    from launchers
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
        totals.end_users_clicked,
        totals.shown,
        totals.clicks,
        totals.sessions_shown,
        totals.sessions_clicked,

        ---------- rates
        {{ rate('totals.sessions_clicked', 'totals.sessions') }} as click_rate
    from totals
    left join items
        on
            totals.system_id = items.system_id
            and totals.item_id = items.item_id

)

select * from final
