{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

shoutout_events as (

    select * from {{ ref('int_shoutout_events') }}
    where {{ is_stale('home_date') }}

),

shoutouts as (

    select
        {{ session_item_columns('shoutout_id', 'shoutout_name') }},
        count(*) filter (where item_type = 'ShoutOut' and event = 'Play') as shown,
        count(*) filter (where item_type = 'ShoutOut' and event = 'Click') as clicks,
        count(*) filter (where item_type = 'ShoutOut' and event = 'Close') as closes,
        count(*) filter (where item_type = 'ShoutOut Action' and event = 'Click') as action_clicks,
        count(*) filter (where item_type = 'ShoutOut Action' and event = 'Close') as action_closes
    from shoutout_events
    group by system_id, environment, session_id, shoutout_id, item_name_without_id

),

final as (

    select
        ---------- key
        md5({{ key_text(session_item_key()) }}) as shoutout_key,

        ---------- who and where
        system_id,
        environment,
        session_id,
        end_user_id,

        ---------- item
        item_id,
        item_name,

        ---------- times
        home_date,
        cast(first_event_at as date) as event_date,
        first_event_at,
        last_event_at,

        ---------- counts
        shown,
        clicks,
        closes,
        action_clicks,
        action_closes,

        ---------- result
        case
            when clicks + action_clicks > 0 then 'clicked'
            when action_closes > 0 then 'snoozed'
            when closes > 0 then 'dismissed'
            else 'ignored'
        end as result,
        events
    from shoutouts

)

select * from final
