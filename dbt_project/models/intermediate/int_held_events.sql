{{ config(materialized=as_view()) }}
with

{% set queries = [] -%}
{% for fact in fact_families() -%}
{% do queries.append(held_events(fact)) -%}
{% endfor -%}
held_events as (

    {{ queries | join('\n    union all\n\n    ') }}

)

select * from held_events
