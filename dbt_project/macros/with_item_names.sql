{# The name of an item is the one in `dim_items`; one without an id has only that of its events. #}
{% macro with_item_names(totals, items) -%}
    select
        {{ totals }}.*,
        coalesce({{ items }}.item_name, {{ totals }}.name_in_events) as item_name
    from {{ totals }}
    left join {{ items }}
        on
            {{ totals }}.system_id = {{ items }}.system_id
            and {{ totals }}.item_id = {{ items }}.item_id
{%- endmacro %}
