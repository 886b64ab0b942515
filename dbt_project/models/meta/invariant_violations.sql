with

results as (

    select * from {{ ref('int_invariant_results') }}

),

violations as (

    select
        results.invariant,
        violation.event_date,
        violation.system_id,
        violation.session_id,
        violation.item_id,
        violation.event_key,
        violation.detail
    from results
    {{ unnested('results.examples', 'violation') }}

),

final as (

    select
        invariant,
        row_number() over (
            partition by invariant
            order by
                event_date asc nulls last,
                system_id asc nulls last,
                session_id asc nulls last,
                item_id asc nulls last,
                event_key asc nulls last,
                detail asc nulls last
        ) as example,
        event_date,
        system_id,
        session_id,
        item_id,
        event_key,
        detail
    from violations

)

select * from final
