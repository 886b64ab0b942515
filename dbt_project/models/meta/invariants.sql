with

results as (

    select * from {{ ref('int_invariant_results') }}

),

final as (

    select
        position,
        invariant,
        family,
        severity,
        description,
        checked,
        violations,
        cast(tolerance as double) as tolerance,
        -- Where the model applied the tolerance already, nothing is left to tolerate here.
        case
            when is_tolerance_applied then violations = 0
            else violations <= tolerance * checked
        end as passed,
        is_waivable
    from results

)

select * from final
