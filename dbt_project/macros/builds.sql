{# The two post-hooks run in the transaction of the model, so table and note change together. Each
   model touches its own row only, hence threads do not conflict. #}
{% macro forget_build() -%}
    delete from audit.builds
    where schema_name = '{{ this.schema }}' and table_name = '{{ this.identifier }}'
{%- endmacro %}

{% macro record_build() -%}
    insert into audit.builds (schema_name, table_name, invocation_id)
    values ('{{ this.schema }}', '{{ this.identifier }}', '{{ invocation_id }}')
{%- endmacro %}
