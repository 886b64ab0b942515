with

accepted_lines as (

    select
        dump_date,
        cast(sum(accepted) as bigint) as accepted
    from {{ ref('dump_ledger') }}
    group by dump_date

),

facts as (

    select
        dump_date,
        cast(sum(lines) as bigint) as events
    from {{ ref('int_accepted_lines') }}
    group by dump_date

),

compared as (

    select
        coalesce(accepted_lines.dump_date, facts.dump_date) as dump_date,
        coalesce(accepted_lines.accepted, 0) as accepted,
        coalesce(facts.events, 0) as events
    from accepted_lines
    full outer join facts
        on accepted_lines.dump_date = facts.dump_date

),

looked_at as (

    select
        cast(null as date) as event_date,
        cast(null as string) as system_id,
        cast(null as string) as session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        'dump ' || dump_date || ': ' || accepted || ' accepted, ' || events || ' in the facts'
            as detail,
        accepted <> events as is_violation
    from compared

)

{{ invariant_result('facts_hold_every_accepted_line', looked_at='looked_at') }}
