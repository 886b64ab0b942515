with

results as (

    {% for invariant, rule in var('invariants').items() -%}
    select
        {{ loop.index }} as position,
        invariant,
        '{{ rule.family }}' as family,
        '{{ rule.severity }}' as severity,
        '{{ rule.description | replace("'", "''") }}' as description,
        checked,
        violations,
        {{ rule.tolerance }} as tolerance,
        {{ 'true' if rule.tolerance_within else 'false' }} as is_tolerance_applied,
        {{ 'true' if rule.waivable else 'false' }} as is_waivable,
        examples
    from {{ ref(invariant) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from results
