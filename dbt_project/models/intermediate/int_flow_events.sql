{{ config(meta={'dated_by': ['home_date']}) }}
{% set flow_in_session = [
    'system_id',
    'environment',
    'session_id',
    'flow_item_type',
    'flow_item_id',
    'flow_name_without_id',
] -%}
{% set in_order %}
            partition by {{ flow_in_session | join(', ') }}
            order by event_number
{% endset -%}
with

family as (

    select
        *,
        item_type in ('Smart Walk-Thru Step', 'Walk-Thru Step') as is_of_step
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_flow_plays') }}

),

-- Dumps and files in the order of events.
files as (

    select
        home_date,
        dump_date,
        source_file,
        row_number() over (
            partition by home_date
            order by dump_date, source_file
        ) as file_number
    from family
    group by home_date, dump_date, source_file

),

with_numbers as (

    select
        family.*,
        {{ event_number('files.file_number') }} as event_number
    from family
    left join files
        on
            family.home_date = files.home_date
            and family.dump_date = files.dump_date
            and family.source_file = files.source_file

),

with_flows as (

    select
        *,
        coalesce({{ type_of_whole() }}, item_type) as flow_item_type,
        case when is_of_step then parent_item_id else item_id end as flow_item_id,
        case when is_of_step then parent_item_name else item_name end as flow_item_name
    from with_numbers

),

flow_events as (

    select
        event_key,
        occurred_at,
        event_number,
        event_date,
        home_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_type,
        event,
        item_id,
        item_name,
        play_id,
        initiator,
        initiator_item_id,
        is_user_initiated,
        is_of_step and event = 'Play' as is_step,
        not is_of_step and event = 'Play' as is_start,
        flow_item_type,
        flow_item_id,
        flow_item_name,
        {{ name_without_id() }} as item_name_without_id,
        {{ name_without_id('flow_item_id', 'flow_item_name') }} as flow_name_without_id
    from with_flows

),

-- A Play Failed belongs to the Play just before it. Any other one is a start that was refused, also
-- while an earlier run of the flow is going on.
with_refusals as (

    select
        *,
        event = 'Play Failed'
        and not coalesce(lag(is_start) over ({{ in_order }}), false) as is_refusal
    from flow_events
    where play_id is null

),

with_begun_runs as (

    select
        *,
        count(case when is_start or is_refusal then 1 end) over (
            {{ in_order }}
            rows between unbounded preceding and current row
        ) as begun_runs
    from with_refusals

),

-- What follows a refusal goes on with the run before it. Run 0 is what no Play came before.
numbered as (

    select
        *,
        case
            when is_refusal then begun_runs
            else
                coalesce(
                    max(case when is_start then begun_runs end) over (
                        {{ in_order }}
                        rows between unbounded preceding and current row
                    ),
                    0
                )
        end as run
    from with_begun_runs

),

-- Only what has no play id needs the sorts above.
with_play_keys as (

    select
        *,
        cast(null as boolean) as is_refusal,
        cast(null as bigint) as begun_runs,
        cast(null as bigint) as run,
        md5({{ key_text(['system_id', 'environment', 'play_id']) }}) as play_key
    from flow_events
    where play_id is not null

    union all

    select
        *,
        md5({{ key_text(flow_in_session + ['run']) }}) as play_key
    from numbered

),

final as (

    select
        event_key,
        occurred_at,
        event_date,
        home_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        item_type,
        event,
        item_id,
        item_name,
        item_name_without_id,
        play_id,
        initiator,
        initiator_item_id,
        is_user_initiated,
        is_step,
        flow_item_type,
        flow_item_id,
        flow_item_name,
        flow_name_without_id,
        run,
        play_key,
        event_number
    from with_play_keys

)

select * from final
