{{ config(meta={'dated_by': ['event_date', 'home_date']}) }}
with

item_events as (

    select * from {{ ref('stg_item_events') }}
    where {{ is_stale('event_date') }}

),

duplicate_lines as (

    select * from {{ ref('int_duplicate_lines') }}
    where {{ is_stale('event_date') }}

),

event_definitions as (

    select * from {{ ref('event_definitions') }}

),

initiators as (

    select * from {{ ref('initiators') }}

),

accepted as (

    select item_events.*
    from item_events
    left join duplicate_lines
        on {{ is_same_line('item_events', 'duplicate_lines') }}
    where duplicate_lines.source_row is null

),

homes as (

    select distinct
        system_id,
        environment,
        session_id,
        home_date
    from {{ ref('int_visits') }}
    where {{ is_stale('event_date') }}

),

-- Left joins: an event outside the definitions stays, for the audit to name it.
final as (

    select
        ---------- what happened
        accepted.event_key,
        accepted.occurred_at,
        accepted.event_date,

        ---------- who and where
        accepted.system_id,
        accepted.environment,
        accepted.session_id,
        accepted.end_user_id,
        accepted.end_user_id_source,

        ---------- item
        accepted.item_type,
        accepted.event,
        case
            when initiators.is_user_initiated = false
                then
                    coalesce(
                        event_definitions.engagement_when_system_initiated,
                        event_definitions.engagement
                    )
            else event_definitions.engagement
        end as engagement,
        accepted.item_id,
        accepted.item_name,
        accepted.parent_item_id,
        accepted.parent_item_type,
        accepted.parent_item_name,

        ---------- play
        accepted.play_id,
        accepted.initiator,
        accepted.initiator_item_id,
        initiators.is_user_initiated,
        accepted.value,
        accepted.interaction_guid,

        ---------- page and device
        accepted.visit_id,
        accepted.page_host,
        accepted.page_path,
        accepted.page_title,
        accepted.is_iframe,
        accepted.browser,
        accepted.os,
        accepted.is_mobile,
        accepted.utc_offset_minutes,
        accepted.language,

        ---------- user variables
        accepted.user_name,
        accepted.user_role,
        accepted.user_type,
        accepted.user_status,
        accepted.user_info,

        ---------- order within a millisecond, and position in the landing
        coalesce(event_definitions.order_in_ms, 1) as order_in_ms,
        accepted.dump_date,
        accepted.source_file,
        accepted.source_row,
        -- Who builds this table alone may be ahead of the visits; it is rebuilt when they follow.
        coalesce(homes.home_date, accepted.event_date) as home_date
    from accepted
    left join event_definitions
        on
            accepted.item_type = event_definitions.item_type
            and accepted.event = event_definitions.event
    left join initiators
        on accepted.initiator = initiators.initiator
    left join homes
        on
            accepted.system_id = homes.system_id
            and accepted.environment = homes.environment
            and accepted.session_id = homes.session_id

)

select * from final
