with

source_files as (

    select * from {{ ref('stg_source_files') }}

),

duplicates as (

    select
        dump_date,
        source_file,
        count(*) as lines
    from {{ ref('int_duplicate_lines') }}
    group by dump_date, source_file

),

final as (

    select
        ---------- file
        source_files.dump_date,
        source_files.source_file,
        source_files.form,
        source_files.bytes,
        source_files.sha256,

        ---------- where its lines ended
        source_files.lines,
        source_files.control,
        source_files.ignored,
        source_files.quarantined,
        coalesce(duplicates.lines, 0) as duplicate,
        source_files.events - coalesce(duplicates.lines, 0) as accepted,

        ---------- what was odd
        source_files.unknown_keys,
        source_files.damage,
        source_files.format,
        source_files.compression
    from source_files
    left join duplicates
        on
            source_files.dump_date = duplicates.dump_date
            and source_files.source_file = duplicates.source_file

)

select * from final
