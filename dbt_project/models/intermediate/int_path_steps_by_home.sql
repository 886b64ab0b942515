{{ config(meta={'dated_by': ['home_date', 'home_month']}) }}
{% set session = ['system_id', 'session_id'] -%}
with

interactions as (

    select
        *,
        {{ item_key('item_type', 'item_id', 'item_name') }} as item_key
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and environment = 'production'
        and engagement = 'interaction'

),

with_previous as (

    select
        *,
        lag(item_key) over (
            partition by {{ session | join(', ') }}
            order by {{ in_event_order() }}
        ) as previous_item_key
    from interactions

),

-- The path of a session: its interactions, and an item that is used again at once only once.
steps as (

    select
        home_date,
        system_id,
        session_id,
        item_key,
        row_number() over (
            partition by {{ session | join(', ') }}
            order by {{ in_event_order() }}
        ) as step
    from with_previous
    where previous_item_key is null or previous_item_key <> item_key

),

-- What came before and after an item is told from its first step.
first_steps as (

    select
        home_date,
        system_id,
        session_id,
        item_key,
        min(step) as step
    from steps
    group by home_date, system_id, session_id, item_key

),

places as (

    {% for place in range(-var('path_positions'), var('path_positions') + 1) -%}
    select {{ place }} as place
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}

),

wanted_steps as (

    select
        first_steps.home_date,
        first_steps.system_id,
        first_steps.session_id,
        first_steps.item_key,
        places.place,
        first_steps.step + places.place as step
    from first_steps
    cross join places

),

by_home as (

    select
        wanted_steps.home_date,
        cast(date_trunc('month', wanted_steps.home_date) as date) as home_month,
        wanted_steps.system_id,
        wanted_steps.item_key,
        wanted_steps.place,
        steps.item_key as next_item_key,
        count(*) as sessions
    from wanted_steps
    inner join steps
        on
            wanted_steps.system_id = steps.system_id
            and wanted_steps.session_id = steps.session_id
            and wanted_steps.step = steps.step
    group by
        wanted_steps.home_date,
        wanted_steps.system_id,
        wanted_steps.item_key,
        wanted_steps.place,
        steps.item_key

)

select * from by_home
