{# What the builds note themselves is no model. It is read last: whatever is rebuilt has the keys of
   the published tables checked again, and so these two rebuilt. #}
{{ config(pre_hook=['{{ write_rebuilds() }}']) }}
-- depends_on: {{ ref('invariants') }}
-- depends_on: {{ ref('invariant_violations') }}
with

noted as (

    select * from audit.rebuilds

),

final as (

    select
        build,
        {{ dbt.split_part('table_name', "'.'", 1) }} as table_schema,
        {{ dbt.split_part('table_name', "'.'", 2) }} as table_name,
        dated_by,
        date,
        reason,
        rows_built
    from noted

)

select * from final
