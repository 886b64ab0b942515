with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where environment = 'production'

),

events_of_people as (

    {{ with_person_ids('item_events') }}

),

people as (

    select
        system_id,
        person_id,
        cast(date_trunc('week', {{ report_date('min(occurred_at)') }}) as date) as first_week,
        min({{ epoch_ms('occurred_at') }}) as first_seen_ms,
        min(case when engagement = 'interaction' then {{ epoch_ms('occurred_at') }} end)
            as first_interaction_ms
    from events_of_people
    group by system_id, person_id

),

final as (

    select
        system_id,
        first_week,
        count(*) as people,
        count(first_interaction_ms) as people_interacted,
        {{ rate('count(first_interaction_ms)', 'count(*)') }} as interacted_rate,
        {{ ms_to_seconds(quantile('first_interaction_ms - first_seen_ms', 0.5)) }}
            as median_seconds,
        {{ ms_to_seconds(quantile('first_interaction_ms - first_seen_ms', 0.9)) }}
            as p90_seconds
    from people
    group by system_id, first_week

)

select * from final
order by system_id, first_week
