{# The name of an item is the one in `dim_items`. What is not there (a ShoutOut of which only an action
   was seen, for example) has the name that its parts give it. #}
{% macro with_item_names(totals, items) -%}
    select
        {{ totals }}.*,
        coalesce({{ items }}.item_name, {{ totals }}.name_in_events) as item_name
    from {{ totals }}
    left join {{ items }}
        on {{ totals }}.item_key = {{ items }}.item_key
{%- endmacro %}

{# Post-hook of the reports that hold such names: an item that is renamed today is renamed on all
   its days, which are not counted anew for that. #}
{% macro refresh_item_names() -%}
    {{ return(adapter.dispatch('refresh_item_names')()) }}
{%- endmacro %}

{% macro duckdb__refresh_item_names() -%}
    update {{ this }} as report
    set item_name = coalesce(
        (
            select items.item_name
            from {{ ref('dim_items') }} as items
            where report.item_key = items.item_key
        ),
        report.name_in_events
    )
    where
        report.item_name is distinct from coalesce(
            (
                select items.item_name
                from {{ ref('dim_items') }} as items
                where report.item_key = items.item_key
            ),
            report.name_in_events
        )
{%- endmacro %}

{# A commit only where a name changed. #}
{% macro spark__refresh_item_names() -%}
    {%- set changed -%}
        select
            report.report_date,
            report.item_key,
            coalesce(items.item_name, report.name_in_events) as item_name
        from {{ this }} as report
        left join {{ ref('dim_items') }} as items
            on report.item_key = items.item_key
        where
            report.item_name is distinct from coalesce(items.item_name, report.name_in_events)
    {%- endset -%}
    {%- if execute and run_query(changed ~ ' limit 1').rows -%}
        merge into {{ this }} as report
        using ({{ changed }}) as changed
            on
                report.report_date = changed.report_date
                and report.item_key = changed.item_key
        when matched then update set item_name = changed.item_name
    {%- endif -%}
{%- endmacro %}
