with

source as (

    select * from {{ source('raw', 'files') }}

),

source_files as (

    select
        dump_date,
        source_file,
        form,
        format,
        compression,
        bytes,
        sha256,
        lines,
        control,
        ignored,
        quarantined,
        events,
        unknown_keys,
        damage,
        content_bytes,
        quarantined_bytes
    from source

)

select * from source_files
