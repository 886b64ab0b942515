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
        {{ bounded_text('system_id') }} as system_id,
        {{ bounded_text('environment') }} as environment,
        {{ bounded_text('session_id') }} as session_id,
        {{ bounded_text('end_user_id') }} as end_user_id,
        {{ bounded_text('end_user_id_source') }} as end_user_id_source,

        ---------- item
        item_type,
        event,
        {{ bounded_text('item_id') }} as item_id,
        {{ bounded_text('item_name') }} as item_name,
        {{ bounded_text('parent_item_id') }} as parent_item_id,
        {{ bounded_text('parent_item_type') }} as parent_item_type,
        {{ bounded_text('parent_item_name') }} as parent_item_name,

        ---------- play
        {{ bounded_text('play_id') }} as play_id,
        {{ bounded_text('initiator') }} as initiator,
        {{ bounded_text('initiator_item_id') }} as initiator_item_id,
        {{ bounded_text('value') }} as value,
        {{ bounded_text('interaction_guid') }} as interaction_guid,

        ---------- page and device
        {{ bounded_text('visit_id') }} as visit_id,
        {{ bounded_text('page_host') }} as page_host,
        {{ bounded_text('page_path') }} as page_path,
        {{ bounded_text('page_title') }} as page_title,
        is_iframe,
        {{ bounded_text('browser') }} as browser,
        {{ bounded_text('os') }} as os,
        is_mobile,
        utc_offset_minutes,
        {{ bounded_text('language') }} as language,

        ---------- user variables
        {{ bounded_text('user_name') }} as user_name,
        {{ bounded_text('user_role') }} as user_role,
        {{ bounded_text('user_type') }} as user_type,
        {{ bounded_text('user_status') }} as user_status,
        {{ bounded_text('user_info') }} as user_info,

        ---------- position in the landing
        dump_date,
        source_file,
        source_row
    from source
    where outcome = 'event'

)

select * from item_events
