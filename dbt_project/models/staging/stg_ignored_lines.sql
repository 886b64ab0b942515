with

source as (

    select * from {{ source('raw', 'lines') }}

),

ignored_lines as (

    select
        dump_date,
        source_file,
        source_row,
        reason,
        detail,
        line
    from source
    where outcome = 'ignored'

)

select * from ignored_lines
