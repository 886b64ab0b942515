with

source as (

    select * from {{ source('raw', 'lines') }}

),

item_events as (

    select
        ---------- what happened
        event_key,
        occurred_at,
        event_date,

        ---------- who and where
        system_id,
        environment,
        session_id,
        end_user_id,
        end_user_id_source,

        ---------- item
        item_type,
        event,
        item_id,
        item_name,
        parent_item_id,
        parent_item_type,
        parent_item_name,

        ---------- play
        play_id,
        initiator,
        initiator_item_id,
        value,
        interaction_guid,

        ---------- page and device
        visit_id,
        page_host,
        page_path,
        page_title,
        is_iframe,
        browser,
        os,
        is_mobile,
        utc_offset_minutes,
        language,

        ---------- user variables
        user_name,
        user_role,
        user_type,
        user_status,
        user_info,

        ---------- position in the landing
        dump_date,
        source_file,
        source_row
    from source
    where outcome = 'event'

)

select * from item_events
