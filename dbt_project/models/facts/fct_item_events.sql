{{ config(
    meta={'dated_by': ['event_date', 'home_date']},
    unique_key='event_key',
) }}
{% set so_far = itself(
    ref('stg_item_events'),
    lacking=[
        'cast(null as string) as engagement',
        'cast(null as boolean) as is_user_initiated',
        'cast(null as date) as home_date',
    ]
) -%}
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

    select *
    from item_events
    where {{ is_in_none_of('item_events', 'duplicate_lines') }}

),

-- Which sessions have events on which dates. A flow left in one session and resumed in another
-- makes them one home, so its play is told with them.
new_visits as (

    select distinct
        system_id,
        environment,
        session_id,
        {{ flow_play_id() }} as flow_play_id,
        event_date
    from {{ ref('stg_item_events') }} as deliveries
    where
        {{ is_stale('event_date') }}
        and {{ is_in_none_of('deliveries', 'duplicate_lines') }}

),

-- Homes that the new events may change: of what they replace, and of what they belong to.
touched_homes as (

    select so_far.home_date
    from {{ so_far }} as so_far
    where {{ is_stale('event_date') }}

    union

    select so_far.home_date
    from {{ so_far }} as so_far
    where
        exists (
            select 1
            from new_visits
            where
                so_far.system_id = new_visits.system_id
                and so_far.environment = new_visits.environment
                and so_far.session_id = new_visits.session_id
        )

    union

    select so_far.home_date
    from {{ so_far }} as so_far
    where
        exists (
            select 1
            from new_visits
            where
                so_far.system_id = new_visits.system_id
                and so_far.environment = new_visits.environment
                and {{ flow_play_id() }} = new_visits.flow_play_id
        )

),

-- The linter cannot parse `using key`, which `home_dates` needs, nor see that it reads this.
visits as ( -- noqa: ST03

    select * from new_visits

    union

    select
        so_far.system_id,
        so_far.environment,
        so_far.session_id,
        {{ flow_play_id() }} as flow_play_id,
        so_far.event_date
    from {{ so_far }} as so_far
    where
        so_far.home_date in (select touched_homes.home_date from touched_homes)
        and not {{ is_stale('event_date') }}

),

homes as (

    {{ home_dates('visits') }} -- noqa: PRS

),

-- Left joins: an event outside the definitions stays, for the audit to name it.
new_events as (

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

        ---------- position in the landing
        accepted.dump_date,
        accepted.source_file,
        accepted.source_row,
        homes.home_date
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

),

-- Events of other dates whose home changed.
moved_events as (

    select
        so_far.event_key,
        so_far.occurred_at,
        so_far.event_date,
        so_far.system_id,
        so_far.environment,
        so_far.session_id,
        so_far.end_user_id,
        so_far.end_user_id_source,
        so_far.item_type,
        so_far.event,
        so_far.engagement,
        so_far.item_id,
        so_far.item_name,
        so_far.parent_item_id,
        so_far.parent_item_type,
        so_far.parent_item_name,
        so_far.play_id,
        so_far.initiator,
        so_far.initiator_item_id,
        so_far.is_user_initiated,
        so_far.value,
        so_far.interaction_guid,
        so_far.visit_id,
        so_far.page_host,
        so_far.page_path,
        so_far.page_title,
        so_far.is_iframe,
        so_far.browser,
        so_far.os,
        so_far.is_mobile,
        so_far.utc_offset_minutes,
        so_far.language,
        so_far.user_name,
        so_far.user_role,
        so_far.user_type,
        so_far.user_status,
        so_far.user_info,
        so_far.dump_date,
        so_far.source_file,
        so_far.source_row,
        homes.home_date
    from {{ so_far }} as so_far
    inner join homes
        on
            so_far.system_id = homes.system_id
            and so_far.environment = homes.environment
            and so_far.session_id = homes.session_id
    where
        so_far.home_date in (select touched_homes.home_date from touched_homes)
        and not {{ is_stale('event_date') }}
        and so_far.home_date <> homes.home_date

),

final as (

    select * from new_events

    union all

    select * from moved_events

)

select * from final
