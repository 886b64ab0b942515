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

{# Post-hook of the reports that hold such names: an item that is renamed today is renamed on all
   its days, which are not counted anew for that. #}
{% macro refresh_item_names() -%}
    update {{ this }} as report
    set item_name = coalesce(
        (
            select items.item_name
            from {{ ref('dim_items') }} as items
            where report.system_id = items.system_id and report.item_id = items.item_id
        ),
        report.name_in_events
    )
    where
        report.item_name is distinct from coalesce(
            (
                select items.item_name
                from {{ ref('dim_items') }} as items
                where report.system_id = items.system_id and report.item_id = items.item_id
            ),
            report.name_in_events
        )
{%- endmacro %}
