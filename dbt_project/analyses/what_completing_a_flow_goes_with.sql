with

flow_impact as (

    select * from {{ ref('rpt_flow_impact') }}

),

final as (

    select
        system_id,
        flow_item_type,
        flow_item_id,
        flow_item_name,
        goal_item_id,
        goal_item_name,
        people_completed,
        people_completed_reached,
        completed_rate,
        people_never_shown,
        people_never_shown_reached,
        never_shown_rate,
        difference_to_never_shown,
        difference_to_never_shown_low,
        difference_to_never_shown_high,
        difference_to_never_shown_low > 0 or difference_to_never_shown_high < 0
            as is_more_than_chance,
        caveat
    from flow_impact
    where people_completed > 0 and people_never_shown > 0

)

select * from final
order by
    difference_to_never_shown_low desc,
    system_id asc,
    flow_item_type asc,
    flow_item_id asc,
    goal_item_id asc
