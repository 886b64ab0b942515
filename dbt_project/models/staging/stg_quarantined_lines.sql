with

source as (

    select * from {{ source('raw', 'lines') }}

),

quarantined_lines as (

    select
        dump_date,
        source_file,
        source_row,
        reason,
        {{ bounded_text('detail') }} as detail,
        line
    from source
    where outcome = 'quarantined'

)

select * from quarantined_lines
