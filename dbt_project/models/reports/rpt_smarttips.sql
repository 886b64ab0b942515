with

smarttips as (

    select
        *,
        {{ report_date('first_event_at') }} as report_date
    from {{ ref('fct_smarttips') }}
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
        {{ latest('item_name', at='last_event_at', key='smarttip_key') }} as item_name,
        count(*) as sessions,
        count(distinct end_user_id) as end_users,
        cast(sum(shown) as bigint) as shown,
        cast(sum(hovers) as bigint) as hovers,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(passed) as bigint) as passed,
        cast(sum(failed) as bigint) as failed,
        cast(sum(passed + failed) as bigint) as validations,
        count(*) filter (where shown > 0) as sessions_shown,
        count(*) filter (where hovers > 0) as sessions_hovered,
        count(*) filter (where first_validation_result is not null) as sessions_validated,
        count(*) filter (where first_validation_result = 'passed') as sessions_passed_at_first,
        count(*) filter (where last_validation_result = 'passed') as sessions_passed_at_last
    from smarttips
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
        totals.hovers,
        totals.clicks,
        totals.sessions_shown,
        totals.sessions_hovered,
        {{ rate('totals.sessions_hovered', 'totals.sessions') }} as hover_rate,

        ---------- validation
        totals.passed,
        totals.failed,
        totals.validations,
        {{ rate('totals.failed', 'totals.validations') }} as failure_rate,
        totals.sessions_validated,
        totals.sessions_passed_at_first,
        {{ rate('totals.sessions_passed_at_first', 'totals.sessions_validated') }}
            as passed_at_first_rate,
        totals.sessions_passed_at_last,
        {{ rate('totals.sessions_passed_at_last', 'totals.sessions_validated') }}
            as passed_at_last_rate
    from totals
    left join items
        on
            totals.system_id = items.system_id
            and totals.item_id = items.item_id

)

select * from final
