with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where environment = 'production'

),

users as (

    select
        system_id,
        end_user_id,
        cast(date_trunc('week', {{ report_date('min(occurred_at)') }}) as date) as first_week,
        min({{ epoch_ms('occurred_at') }}) as first_seen_ms,
        min(case when engagement = 'interaction' then {{ epoch_ms('occurred_at') }} end)
            as first_interaction_ms
    from item_events
    group by system_id, end_user_id

),

final as (

    select
        system_id,
        first_week,
        count(*) as end_users,
        count(first_interaction_ms) as end_users_interacted,
        {{ rate('count(first_interaction_ms)', 'count(*)') }} as interacted_rate,
        {{ ms_to_seconds(quantile('first_interaction_ms - first_seen_ms', 0.5)) }}
            as median_seconds,
        {{ ms_to_seconds(quantile('first_interaction_ms - first_seen_ms', 0.9)) }}
            as p90_seconds
    from users
    group by system_id, first_week

)

select * from final
order by system_id, first_week
