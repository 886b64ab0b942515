with

resources as (

    select
        *,
        {{ report_date('started_at') }} as report_date
    from {{ ref('fct_resources') }}
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
        {{ latest('item_name', at='started_at', key='event_key') }} as item_name,
        count(*) as plays,
        count(distinct session_id) as sessions,
        count(distinct end_user_id) as end_users,
        count(*) filter (where is_user_initiated) as user_initiated_plays,
        count(*) filter (where not is_user_initiated) as system_initiated_plays,
        count(*) filter (where is_user_initiated is null) as plays_of_unknown_initiator,
        count(is_user_initiated) as plays_of_known_initiator
    from resources
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
        totals.plays,
        totals.sessions,
        totals.end_users,
        totals.user_initiated_plays,
        totals.system_initiated_plays,
        totals.plays_of_unknown_initiator,

        ---------- rates
        totals.plays_of_known_initiator,
        {{ rate('totals.user_initiated_plays', 'totals.plays_of_known_initiator') }}
            as user_initiated_rate
    from totals
    left join items
        on
            totals.system_id = items.system_id
            and totals.item_id = items.item_id

)

select * from final
