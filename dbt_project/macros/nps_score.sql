{# An answer as a score, 0 to the highest; null for any other answer. Some deliveries keep the quotes of
   JSON. #}
{% macro nps_score(answer) -%}
    {%- set answer_text = trimmed("replace(" ~ answer ~ ", '\"', '')") -%}
    case
        when {{ answer_text }} in ('{{ range(var('nps_highest_score') + 1) | join("', '") }}')
            then cast({{ answer_text }} as integer)
    end
{%- endmacro %}
