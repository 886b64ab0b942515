with

item_events as (

    select
        *,
        {{ report_date('occurred_at') }} as report_date
    from {{ ref('fct_item_events') }}
    where environment = 'production'

),

final as (

    select
        report_date,
        system_id,
        item_type,
        event,
        count(*) as events,
        count(distinct session_id) as sessions,
        count(distinct end_user_id) as end_users
    from item_events
    group by report_date, system_id, item_type, event

)

select * from final
