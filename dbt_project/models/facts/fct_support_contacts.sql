{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

contacts as (

    select *
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_support_contacts') }}

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
        item_id,
        item_name,

        ---------- contact
        home_date,
        event_date,
        occurred_at as started_at,
        case item_type when 'Help Desk' then 'help_desk' when 'Live Chat' then 'live_chat' end
            as channel,
        cast(1 as bigint) as events
    from contacts

)

select * from final
