{% set others = flow_fates() | reject('equalto', 'completed') | list -%}
with

goals as (

    select * from {{ ref('int_goals') }}

),

goals_reached as (

    select * from {{ ref('int_goals_reached') }}

),

items as (

    select * from {{ ref('dim_items') }}

),

counts as (

    select
        flow_item_key,
        goal_item_key,
        {{ fate_totals() }}
    from goals_reached
    group by flow_item_key, goal_item_key

),

-- A pair of which nobody counts is told as well.
pairs as (

    select
        goals.system_id,
        goals.flow_item_key,
        goals.goal_item_key,
        goals.flow_item_type,
        goals.flow_item_id,
        goals.task_item_id,
        {{ fate_counts() }}
    from goals
    left join counts
        on
            goals.flow_item_key = counts.flow_item_key
            and goals.goal_item_key = counts.goal_item_key

),

rates as (

    select
        *,
        {{ fate_rates() }}
    from pairs

),

final as (

    select
        ---------- key
        rates.system_id,
        rates.flow_item_key,
        rates.goal_item_key,

        ---------- flow and goal
        rates.flow_item_type,
        rates.flow_item_id,
        flows.item_name as flow_item_name,
        rates.task_item_id as goal_item_id,
        tasks.item_name as goal_item_name,

        ---------- people
        {%- for fate in flow_fates() %}
        rates.people_{{ fate }},
        rates.people_{{ fate }}_reached,
        rates.{{ fate }}_rate,
        {%- endfor %}

        ---------- completed, compared
        {%- for fate in others %}
        rates.completed_rate - rates.{{ fate }}_rate as difference_to_{{ fate }},
        {{ newcombe_bound(
            'rates.completed_rate', 'rates.completed_low', 'rates.' ~ fate ~ '_rate',
            'rates.' ~ fate ~ '_high', -1
        ) }} as difference_to_{{ fate }}_low,
        {{ newcombe_bound(
            'rates.completed_rate', 'rates.completed_high', 'rates.' ~ fate ~ '_rate',
            'rates.' ~ fate ~ '_low', 1
        ) }} as difference_to_{{ fate }}_high,
        {%- endfor %}
        'Who completes a flow may differ from others: a difference is no proof of cause.'
            as caveat
    from rates
    left join items as flows
        on rates.flow_item_key = flows.item_key
    left join items as tasks
        on rates.goal_item_key = tasks.item_key

)

select * from final
