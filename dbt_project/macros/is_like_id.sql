{# The condition that the id of an end user is like a pattern, which may be null: any is. A pseudonym
   ends with a mark of each pattern of the seed that its id was like, by which it was made. #}
{% macro is_like_id(end_user_id, pattern) -%}
    (
        {{ end_user_id }} like coalesce({{ pattern }}, '%')
        or {{ end_user_id }} like 'p-{{ '_' * 32 }}%.' || left(md5({{ pattern }}), 8) || '%'
    )
{%- endmacro %}
