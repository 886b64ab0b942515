{% macro report_date(timestamp) -%}
    {{ return(adapter.dispatch('report_date')(timestamp, var('reporting_timezone'))) }}
{%- endmacro %}

{% macro duckdb__report_date(timestamp, reporting_timezone) -%}
    {%- if reporting_timezone == 'UTC' -%}
        cast({{ timestamp }} as date)
    {%- else -%}
        cast(timezone('{{ reporting_timezone }}', timezone('UTC', {{ timestamp }})) as date)
    {%- endif -%}
{%- endmacro %}

{% macro spark__report_date(timestamp, reporting_timezone) -%}
    {%- if reporting_timezone == 'UTC' -%}
        cast({{ timestamp }} as date)
    {%- else -%}
        cast(convert_timezone('UTC', '{{ reporting_timezone }}', {{ timestamp }}) as date)
    {%- endif -%}
{%- endmacro %}
