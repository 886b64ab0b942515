{# Schemas are called what the folder configuration says, without the target's name before it:
   `facts` is `facts` in every target, because each target is a database of its own. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
