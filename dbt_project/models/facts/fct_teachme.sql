{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

teachme_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and item_type = 'TeachMe'

),

sessions as (

    select
        system_id,
        environment,
        session_id,
        {{ latest('end_user_id') }} as end_user_id,
        min(home_date) as home_date,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        count(*) filter (where event = 'Visible') as visible,
        count(*) filter (where event = 'Open') as opened,
        count(*) filter (where event = 'TeachMe Step Started') as steps_started,
        {{ count_items("event = 'TeachMe Step Started'") }} as items_started,
        count(*) as events
    from teachme_events
    group by system_id, environment, session_id

),

final as (

    select
        ---------- session
        md5({{ key_text(['system_id', 'environment', 'session_id']) }}) as teachme_key,
        system_id,
        environment,
        session_id,
        end_user_id,

        ---------- times
        home_date,
        cast(first_event_at as date) as event_date,
        first_event_at,
        last_event_at,

        ---------- counts
        visible,
        opened,
        steps_started,
        items_started,
        events
    from sessions

)

select * from final
