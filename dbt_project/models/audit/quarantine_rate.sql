with

dumps as (

    select
        dump_date,
        cast(sum(lines) as bigint) as lines,
        cast(sum(quarantined) as bigint) as quarantined
    from {{ ref('dump_ledger') }}
    group by dump_date

),

looked_at as (

    select
        cast(null as date) as event_date,
        cast(null as string) as system_id,
        cast(null as string) as session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        'dump ' || dump_date || ': ' || quarantined || ' of ' || lines || ' lines quarantined'
            as detail,
        quarantined > {{ invariant_tolerance('quarantine_rate') }} * lines as is_violation
    from dumps

)

{{ invariant_result('quarantine_rate', looked_at='looked_at') }}
