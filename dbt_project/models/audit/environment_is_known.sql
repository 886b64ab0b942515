with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where {{ is_stale('event_date') }}

),

environments as (

    select * from {{ ref('environments') }}

),

looked_at as (

    select
        item_events.event_date,
        item_events.system_id,
        item_events.session_id,
        item_events.item_id,
        item_events.event_key,
        'environment ' || item_events.environment || ' is none of the seed, and in no report'
            as detail,
        environments.environment is null as is_violation
    from item_events
    left join environments
        on item_events.environment = environments.environment

)

{{ invariant_result('environment_is_known', looked_at='looked_at') }}
