with

dumps as (

    select
        dump_date,
        cast(sum(lines) as bigint) as lines,
        cast(sum(quarantined) as bigint) as quarantined,
        cast(sum(content_bytes) as bigint) as content_bytes,
        cast(sum(quarantined_bytes) as bigint) as quarantined_bytes
    from {{ ref('stg_source_files') }}
    group by dump_date

),

looked_at as (

    select
        cast(null as date) as event_date,
        cast(null as string) as system_id,
        cast(null as string) as session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        'dump ' || dump_date || ': ' || quarantined || ' of ' || lines || ' lines, '
        || quarantined_bytes || ' of ' || content_bytes || ' bytes quarantined' as detail,
        quarantined > {{ invariant_tolerance('quarantine_rate') }} * lines
        or quarantined_bytes > {{ invariant_tolerance('quarantine_rate') }} * content_bytes
            as is_violation
    from dumps

)

{{ invariant_result('quarantine_rate', looked_at='looked_at') }}
