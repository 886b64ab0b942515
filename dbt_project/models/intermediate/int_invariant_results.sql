{{ config(materialized=as_view()) }}
with

registry as (

    {% for invariant, rule in var('invariants').items() -%}
    select
        {{ loop.index }} as position,
        '{{ invariant }}' as invariant,
        '{{ rule.family }}' as family,
        '{{ rule.severity }}' as severity,
        {{ literal(rule.description) }} as description,
        {{ rule.tolerance }} as tolerance,
        {{ 'true' if rule.tolerance_within else 'false' }} as is_tolerance_applied,
        {{ 'true' if rule.waivable else 'false' }} as is_waivable
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

found as (

    {% for results in results_tables() -%}
    select
        invariant,
        checked,
        violations,
        examples
    from {{ ref(results) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- Of an invariant that is rebuilt by date, nothing is found where nothing happened.
results as (

    select
        registry.position,
        registry.invariant,
        registry.family,
        registry.severity,
        registry.description,
        cast(coalesce(sum(found.checked), 0) as bigint) as checked,
        cast(coalesce(sum(found.violations), 0) as bigint) as violations,
        registry.tolerance,
        registry.is_tolerance_applied,
        registry.is_waivable,
        {{
            smallest_of_all(
                'found.examples', violation_columns(), var('examples_per_invariant')
            )
        }} as examples
    from registry
    left join found
        on registry.invariant = found.invariant
    group by all

)

select * from results
