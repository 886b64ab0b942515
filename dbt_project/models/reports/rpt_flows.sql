with

people as (

    select * from {{ ref('int_people') }}

),

flow_plays as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ epoch_ms('last_event_at') }} - {{ epoch_ms('started_at') }} as duration_ms,
        {{ epoch_ms('completed_at') }} - {{ epoch_ms('started_at') }} as completion_ms,
        case
            when is_user_initiated then 'user'
            when not is_user_initiated then 'system'
            else 'unknown'
        end as initiator_class
    from {{ ref('fct_flow_plays') }}
    where environment = 'production'

),

with_people as (

    select
        flow_plays.*,
        people.person_id
    from flow_plays
    left join people
        on flow_plays.end_user_id = people.end_user_id

),

items as (

    select * from {{ ref('dim_items') }}

),

totals as (

    select
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        item_type,
        item_id,
        {{ last_by('item_name', ['started_at', 'item_name']) }} as name_in_events,
        min(flow_kind) as flow_kind,
        count(*) as plays,
        count(distinct end_user_id) as end_users,
        count(distinct person_id) as people,
        count(*) filter (where result = 'failed') as failed,
        count(*) filter (where has_known_end) as completable_plays,
        count(*) filter (where result = 'completed') as completed,
        count(*) filter (where result = 'stopped_by_launcher') as stopped_by_launcher,
        count(*) filter (where result = 'left') as left_plays,
        {{ quantile("case when result <> 'failed' then duration_ms end", 0.5) }}
            as median_duration_ms,
        {{ quantile("case when result <> 'failed' then duration_ms end", 0.9) }}
            as p90_duration_ms,
        {{ quantile("case when result = 'completed' then completion_ms end", 0.5) }}
            as median_completion_ms,
        {{ quantile("case when result = 'completed' then completion_ms end", 0.9) }}
            as p90_completion_ms,
        count(*) filter (where initiator_class = 'user') as user_initiated_plays,
        count(*) filter (where initiator_class = 'user' and result = 'failed')
            as user_initiated_failed,
        count(*) filter (where initiator_class = 'user' and result = 'completed')
            as user_initiated_completed,
        count(*) filter (where initiator_class = 'system') as system_initiated_plays,
        count(*) filter (where initiator_class = 'system' and result = 'failed')
            as system_initiated_failed,
        count(*) filter (where initiator_class = 'system' and result = 'completed')
            as system_initiated_completed,
        count(*) filter (where initiator_class = 'unknown') as unknown_initiated_plays,
        count(*) filter (where initiator_class = 'unknown' and result = 'failed')
            as unknown_initiated_failed,
        count(*) filter (where initiator_class = 'unknown' and result = 'completed')
            as unknown_initiated_completed
    from with_people
    group by system_id, item_type, item_id, item_name_without_id

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        ---------- key
        system_id,
        item_key,

        ---------- item
        item_type,
        item_id,
        item_name,
        flow_kind,

        ---------- results
        plays,
        end_users,
        people,
        failed,
        {{ rate('failed', 'plays') }} as failure_rate,
        completable_plays,
        completed,
        {{ rate('completed', 'completable_plays') }} as completion_rate,
        stopped_by_launcher,
        left_plays,

        ---------- durations
        {{ ms_to_seconds('median_duration_ms') }} as median_seconds,
        {{ ms_to_seconds('p90_duration_ms') }} as p90_seconds,
        {{ ms_to_seconds('median_completion_ms') }} as median_seconds_to_complete,
        {{ ms_to_seconds('p90_completion_ms') }} as p90_seconds_to_complete,

        ---------- by initiator class
        user_initiated_plays,
        user_initiated_failed,
        user_initiated_completed,
        system_initiated_plays,
        system_initiated_failed,
        system_initiated_completed,
        unknown_initiated_plays,
        unknown_initiated_failed,
        unknown_initiated_completed
    from named

)

select * from final
