with

item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_item_events') }}
    where environment = 'production'

),

first_exposures as (

    select
        system_id,
        end_user_id,
        item_type,
        item_id,
        item_name_without_id,
        min(occurred_at) as first_exposed_at
    from item_events
    where engagement = 'exposure'
    group by system_id, end_user_id, item_type, item_id, item_name_without_id

),

numbered as (

    select
        *,
        row_number() over (
            partition by system_id, end_user_id
            order by first_exposed_at, item_type, item_id, item_name_without_id
        ) as item_number
    from first_exposures

),

exposed_users as (

    select
        system_id,
        end_user_id,
        count(*) as items_exposed,
        min(case when item_number = 3 then first_exposed_at end) as third_item_at
    from numbered
    group by system_id, end_user_id
    having count(*) >= 3

),

completions as (

    select
        system_id,
        end_user_id,
        item_type,
        item_id,
        item_name_without_id,
        occurred_at
    from item_events
    where item_type = 'Task' and event = 'Complete'

),

final as (

    select
        exposed_users.system_id,
        exposed_users.end_user_id,
        exposed_users.items_exposed,
        exposed_users.third_item_at,
        min(completions.occurred_at) as completed_at,
        {{ count_items('completions.occurred_at is not null') }} as tasks_completed,
        count(completions.occurred_at) > 0 as has_completed
    from exposed_users
    left join completions
        on
            exposed_users.system_id = completions.system_id
            and exposed_users.end_user_id = completions.end_user_id
            and exposed_users.third_item_at < completions.occurred_at
    group by
        exposed_users.system_id,
        exposed_users.end_user_id,
        exposed_users.items_exposed,
        exposed_users.third_item_at

)

select * from final
order by system_id, end_user_id
