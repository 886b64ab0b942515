{{ config(
    meta={'dated_by': ['event_date', 'home_date']},
    unique_key='visit_key',
) }}
{% set visit = ['system_id', 'environment', 'session_id', 'flow_play_id', 'event_date'] -%}
{% set so_far = itself(
    ref('stg_item_events'),
    lacking=[
        'cast(null as string) as flow_play_id',
        'cast(null as string) as visit_key',
        'cast(null as date) as home_date',
    ]
) -%}
with

deliveries as (

    select
        *,
        {{ flow_play_id() }} as flow_play_id
    from {{ ref('stg_item_events') }}
    where {{ is_stale('event_date') }}

),

duplicate_lines as (

    select * from {{ ref('int_duplicate_lines') }}
    where {{ is_stale('event_date') }}

),

new_visits as (

    select distinct
        deliveries.system_id,
        deliveries.environment,
        deliveries.session_id,
        deliveries.flow_play_id,
        deliveries.event_date
    from deliveries
    left join duplicate_lines
        on {{ is_same_line('deliveries', 'duplicate_lines') }}
    where duplicate_lines.source_row is null

),

-- Homes that the new visits may change: of what they replace, and of what they belong to.
touched_homes as (

    select so_far.home_date
    from {{ so_far }} as so_far
    where {{ is_stale('event_date') }}

    {% for tie in ['session_id', 'flow_play_id'] -%}
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
                and so_far.{{ tie }} = new_visits.{{ tie }}
        )

    {% endfor %}
),

known_visits as (

    select
        visit_key,
        system_id,
        environment,
        session_id,
        flow_play_id,
        event_date,
        home_date
    from {{ so_far }} as so_far
    where
        home_date in (select touched_homes.home_date from touched_homes)
        and not {{ is_stale('event_date') }}

),

-- The linter cannot parse `using key`, which `home_dates` needs, nor see that it reads this.
visits as ( -- noqa: ST03

    select * from new_visits

    union all

    select
        system_id,
        environment,
        session_id,
        flow_play_id,
        event_date
    from known_visits

),

homes as (

    {{ home_dates('visits') }} -- noqa: PRS

),

with_homes as (

    select
        visits.system_id,
        visits.environment,
        visits.session_id,
        visits.flow_play_id,
        visits.event_date,
        homes.home_date
    from visits
    left join homes
        on
            visits.system_id = homes.system_id
            and visits.environment = homes.environment
            and visits.session_id = homes.session_id

),

keyed as (

    select
        *,
        md5({{ key_text(visit) }}) as visit_key
    from with_homes

),

-- What is known stays as it is, unless its home changed.
final as (

    select
        keyed.visit_key,
        keyed.system_id,
        keyed.environment,
        keyed.session_id,
        keyed.flow_play_id,
        keyed.event_date,
        keyed.home_date
    from keyed
    left join known_visits
        on keyed.visit_key = known_visits.visit_key
    where known_visits.visit_key is null or known_visits.home_date <> keyed.home_date

)

select * from final
