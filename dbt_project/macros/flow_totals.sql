{# What the reports on flows say of plays, once: `rpt_flows` over all days, `rpt_flows_daily` by day. #}

{# Columns of a play that its totals need. #}
{% macro flow_play_columns() -%}
        {{ name_without_id() }} as item_name_without_id,
        {{ epoch_ms('last_event_at') }} - {{ epoch_ms('started_at') }} as duration_ms,
        {{ epoch_ms('completed_at') }} - {{ epoch_ms('started_at') }} as completion_ms,
        case
            when is_user_initiated then 'user'
            when not is_user_initiated then 'system'
            else 'unknown'
        end as initiator_class
{%- endmacro %}

{# The totals of such plays, by the flow that they are of.
     people: how many people the plays are of, an expression. #}
{% macro flow_totals(people) -%}
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        system_id,
        item_type,
        item_id,
        {{ last_by('item_name', ['started_at', 'item_name']) }} as name_in_events,
        min(flow_kind) as flow_kind,
        count(*) as plays,
        count(distinct end_user_id) as end_users,
        {{ people }} as people,
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
            as p90_completion_ms
        {%- for class in initiator_classes() %},
        count(*) filter (where initiator_class = '{{ class }}') as {{ class }}_initiated_plays,
        count(*) filter (where initiator_class = '{{ class }}' and result = 'failed')
            as {{ class }}_initiated_failed,
        count(*) filter (where initiator_class = '{{ class }}' and result = 'completed')
            as {{ class }}_initiated_completed
        {%- endfor %}
{%- endmacro %}

{# The columns of a report that such totals make. #}
{% macro flow_results() -%}
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
        {%- for class in initiator_classes() %}
        {{ class }}_initiated_plays,
        {{ class }}_initiated_failed,
        {{ class }}_initiated_completed{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}

{% macro initiator_classes() -%}
    {{ return(['user', 'system', 'unknown']) }}
{%- endmacro %}
