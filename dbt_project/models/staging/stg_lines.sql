with

source as (

    select * from {{ source('raw', 'lines') }}

),

lines as (

    select
        dump_date,
        source_file,
        source_row,
        outcome
    from source

)

select * from lines
