{# The condition that the cap of an event is what the invariant is about: that of the pair it names
   (`cap_of` in the registry), or, where it names none, any that no other invariant names. #}
{% macro is_capped_by(invariant) -%}
    {%- set pair = var('invariants')[invariant]['cap_of'] -%}
    {%- if pair -%}
        item_type || ': ' || event = '{{ pair }}'
    {%- else -%}
        {%- set named = [] -%}
        {%- for rule in var('invariants').values() if rule['cap_of'] -%}
            {%- do named.append(rule['cap_of']) -%}
        {%- endfor -%}
        item_type || ': ' || event not in ('{{ named | join("', '") }}')
    {%- endif -%}
{%- endmacro %}
