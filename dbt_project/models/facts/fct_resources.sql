{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

plays as (

    select *
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_resources') }}

),

final as (

    select
        ---------- key
        event_key,

        ---------- who and where
        system_id,
        environment,
        session_id,
        end_user_id,

        ---------- item
        item_type,
        item_id,
        item_name,

        ---------- play
        home_date,
        event_date,
        occurred_at as started_at,
        play_id,
        initiator,
        initiator_item_id,
        is_user_initiated,
        cast(1 as bigint) as events
    from plays

)

select * from final
