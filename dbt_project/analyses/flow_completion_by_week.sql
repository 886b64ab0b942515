with

flows_daily as (

    select
        *,
        cast(date_trunc('week', report_date) as date) as week
    from {{ ref('rpt_flows_daily') }}

),

by_week as (

    select
        system_id,
        item_key,
        week,
        min(item_type) as item_type,
        min(item_id) as item_id,
        min(item_name) as item_name,
        cast(sum(plays) as bigint) as plays,
        cast(sum(completable_plays) as bigint) as completable_plays,
        cast(sum(completed) as bigint) as completed
    from flows_daily
    group by system_id, item_key, week

),

rated as (

    select
        *,
        {{ rate('completed', 'completable_plays') }} as completion_rate
    from by_week

),

final as (

    select
        system_id,
        item_type,
        item_id,
        item_name,
        week,
        plays,
        completable_plays,
        completed,
        completion_rate,
        completion_rate - lag(completion_rate) over (
            partition by system_id, item_key
            order by week
        ) as difference
    from rated

)

select * from final
order by system_id, item_type, item_id, item_name, week
