{{ config(meta={'dated_by': ['dump_date']}) }}
with

final as (

    select
        dump_date,
        source_file,
        source_row,
        reason,
        detail,
        line
    from {{ ref('stg_quarantined_lines') }}
    where {{ is_stale('dump_date') }}

)

select * from final
