{{ config(materialized='view') }}
with

results as (

    {% for invariant, rule in var('invariants').items() -%}
    select
        {{ loop.index }} as position,
        '{{ invariant }}' as invariant,
        '{{ rule.family }}' as family,
        '{{ rule.severity }}' as severity,
        '{{ rule.description | replace("'", "''") }}' as description,
        cast(coalesce(sum(checked), 0) as bigint) as checked,
        cast(coalesce(sum(violations), 0) as bigint) as violations,
        {{ rule.tolerance }} as tolerance,
        {{ 'true' if rule.tolerance_within else 'false' }} as is_tolerance_applied,
        {{ 'true' if rule.waivable else 'false' }} as is_waivable,
        {{ smallest_of_all('examples', var('examples_per_invariant')) }} as examples
    from {{ ref(invariant) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from results
