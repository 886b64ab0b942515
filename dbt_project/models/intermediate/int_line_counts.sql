{{ config(meta={'dated_by': ['dump_date']}) }}
with

lines as (

    select * from {{ ref('stg_lines') }}
    where {{ is_stale('dump_date') }}

),

line_counts as (

    select
        dump_date,
        source_file,
        count(*) filter (where outcome = 'control') as control,
        count(*) filter (where outcome = 'ignored') as ignored,
        count(*) filter (where outcome = 'quarantined') as quarantined,
        count(*) as lines
    from lines
    group by dump_date, source_file

)

select * from line_counts
