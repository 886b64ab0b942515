with

item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_item_events') }}
    where environment = 'production'

),

events_of_people as (

    {{ with_person_ids('item_events') }}

),

first_exposures as (

    select
        system_id,
        person_id,
        item_type,
        item_id,
        item_name_without_id,
        min(occurred_at) as first_exposed_at
    from events_of_people
    where engagement = 'exposure'
    group by system_id, person_id, item_type, item_id, item_name_without_id

),

numbered as (

    select
        *,
        row_number() over (
            partition by system_id, person_id
            order by first_exposed_at, item_type, item_id, item_name_without_id
        ) as item_number
    from first_exposures

),

exposed_people as (

    select
        system_id,
        person_id,
        count(*) as items_exposed,
        min(case when item_number = 3 then first_exposed_at end) as third_item_at
    from numbered
    group by system_id, person_id
    having count(*) >= 3

),

completions as (

    select
        system_id,
        person_id,
        item_type,
        item_id,
        item_name_without_id,
        occurred_at
    from events_of_people
    where item_type = 'Task' and event = 'Complete'

),

final as (

    select
        exposed_people.system_id,
        exposed_people.person_id,
        exposed_people.items_exposed,
        exposed_people.third_item_at,
        min(completions.occurred_at) as completed_at,
        {{ count_items('completions.occurred_at is not null') }} as tasks_completed,
        count(completions.occurred_at) > 0 as has_completed
    from exposed_people
    left join completions
        on
            exposed_people.system_id = completions.system_id
            and exposed_people.person_id = completions.person_id
            and exposed_people.third_item_at < completions.occurred_at
    group by
        exposed_people.system_id,
        exposed_people.person_id,
        exposed_people.items_exposed,
        exposed_people.third_item_at

)

select * from final
order by system_id, person_id
