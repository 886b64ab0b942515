{% set attributes = var('adoption_attributes') -%}
with

sessions as (

    select
        *,
        cast(date_trunc('week', {{ report_date('started_at') }}) as date) as week
    from {{ ref('fct_sessions') }}
    where environment = 'production'

),

item_types_by_home as (

    select * from {{ ref('int_item_types_by_home') }}

),

people as (

    select * from {{ ref('int_people') }}

),

known_people as (

    select * from {{ ref('dim_people') }}

),

values_of_people as (

    select
        {% for expression in attributes.values() -%}
        {{ said_or_unknown(expression) }} as value_{{ loop.index }},
        {% endfor -%}
        person_id
    from known_people

),

uses_of_ids as (

    select
        week,
        system_id,
        end_user_id,
        cast(null as string) as item_type,
        count(*) as sessions,
        cast(sum(interactions) as bigint) as interactions
    from sessions
    group by week, system_id, end_user_id

    union all

    select
        week,
        system_id,
        end_user_id,
        item_type,
        sessions,
        interactions
    from item_types_by_home

),

uses as (

    select
        uses_of_ids.week,
        uses_of_ids.system_id,
        people.person_id,
        uses_of_ids.item_type,
        sum(uses_of_ids.sessions) as sessions,
        sum(uses_of_ids.interactions) as interactions
    from uses_of_ids
    left join people
        on uses_of_ids.end_user_id = people.end_user_id
    group by uses_of_ids.week, uses_of_ids.system_id, people.person_id, uses_of_ids.item_type

),

-- Many people share all their values, so each attribute has few rows to add up.
by_values as (

    select
        uses.week,
        uses.system_id,
        uses.item_type,
        {% for _ in attributes -%}
        values_of_people.value_{{ loop.index }},
        {% endfor -%}
        count(*) as people,
        count(*) filter (where uses.interactions > 0) as engaged_people,
        sum(uses.sessions) as sessions,
        sum(uses.interactions) as interactions
    from uses
    left join values_of_people
        on uses.person_id = values_of_people.person_id
    group by
        {% for _ in attributes -%}
        values_of_people.value_{{ loop.index }},
        {% endfor -%}
        uses.week,
        uses.system_id,
        uses.item_type

),

totals as (

    {% for attribute in attributes -%}
    select
        week,
        system_id,
        '{{ attribute }}' as attribute,
        value_{{ loop.index }} as attribute_value,
        item_type,
        cast(sum(people) as bigint) as people,
        cast(sum(engaged_people) as bigint) as engaged_people,
        cast(sum(sessions) as bigint) as sessions,
        cast(sum(interactions) as bigint) as interactions
    from by_values
    group by week, system_id, value_{{ loop.index }}, item_type
    {% if not loop.last -%}
    union all

    {% endif -%}
    {% endfor %}
),

final as (

    select
        ---------- key
        week,
        system_id,
        attribute,
        attribute_value,
        item_type,

        ---------- counts
        people,
        engaged_people,
        {{ rate('engaged_people', 'people') }} as adoption_rate,
        sessions,
        interactions
    from totals

)

select * from final
