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

)

select * from final
