with

family as (

    select
        *,
        item_type in ('Smart Walk-Thru Step', 'Walk-Thru Step') as is_step
    from {{ ref('fct_item_events') }}
    where item_type in ('Smart Walk-Thru', 'Smart Walk-Thru Step', 'Walk-Thru', 'Walk-Thru Step')

),

with_flows as (

    select
        *,
        case item_type
            when 'Smart Walk-Thru Step' then 'Smart Walk-Thru'
            when 'Walk-Thru Step' then 'Walk-Thru'
            else item_type
        end as flow_item_type,
        case when is_step then parent_item_id else item_id end as flow_item_id,
        case when is_step then parent_item_name else item_name end as flow_item_name
    from family

),

flow_events as (

    select
        event_key,
        occurred_at,
        event_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_type,
        event,
        item_id,
        item_name,
        play_id,
        initiator,
        initiator_item_id,
        is_user_initiated,
        is_step,
        flow_item_type,
        flow_item_id,
        flow_item_name,
        -- An item without an id is known by its name.
        case when item_id is null then item_name end as item_name_without_id,
        case when flow_item_id is null then flow_item_name end as flow_name_without_id,
        -- Within one millisecond a flow starts, and plays its steps, before it fails.
        case when event = 'Play Failed' then 2 when is_step then 1 else 0 end as event_order
    from with_flows

),

-- Run 0 is what comes before the first Play of the flow.
numbered as (

    select
        *,
        count(case when event = 'Play' and not is_step then 1 end) over (
            partition by
                system_id,
                environment,
                session_id,
                flow_item_type,
                flow_item_id,
                flow_name_without_id
            order by occurred_at, event_order, event_key
            rows between unbounded preceding and current row
        ) as run
    from flow_events
    where play_id is null

),

-- Only what has no play id needs the sort above.
with_play_keys as (

    select
        *,
        cast(null as bigint) as run,
        md5({{ key_text(['system_id', 'environment', 'play_id']) }}) as play_key
    from flow_events
    where play_id is not null

    union all

    select
        *,
        md5(
            {{
                key_text([
                    'system_id',
                    'environment',
                    'session_id',
                    'flow_item_type',
                    'flow_item_id',
                    'flow_name_without_id',
                    'run',
                ])
            }}
        ) as play_key
    from numbered

),

final as (

    select
        event_key,
        occurred_at,
        event_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_type,
        event,
        item_id,
        item_name,
        item_name_without_id,
        play_id,
        initiator,
        initiator_item_id,
        is_user_initiated,
        is_step,
        flow_item_type,
        flow_item_id,
        flow_item_name,
        event_order,
        run,
        play_key
    from with_play_keys

)

select * from final
