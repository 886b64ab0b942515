{{ config(meta={'dated_by': ['home_date']}) }}
with

shoutout_events as (

    select *
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_shoutouts') }}

),

with_shoutouts as (

    select
        event_key,
        occurred_at,
        order_in_ms,
        dump_date,
        source_file,
        source_row,
        event_date,
        home_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_type,
        event,
        item_id,
        case when item_type = 'ShoutOut Action' then parent_item_id else item_id end
            as shoutout_id,
        case when item_type = 'ShoutOut Action' then parent_item_name else item_name end
            as shoutout_name
    from shoutout_events

),

final as (

    select
        *,
        {{ name_without_id('shoutout_id', 'shoutout_name') }} as item_name_without_id
    from with_shoutouts

)

select * from final
