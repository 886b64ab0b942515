{# Confidence intervals at 95 %, without a correction for continuity. #}

{# An end of Wilson's score interval for `successes` of `trials` (Wilson 1927): the lower one with sign
   -1, the upper one with 1; null without trials. #}
{% macro wilson_bound(successes, trials, sign) -%}
    {%- set z = normal_quantile() -%}
    {#- As doubles: a division of decimals has another precision in each engine. -#}
    {%- set reached = 'cast(' ~ successes ~ ' as double)' -%}
    {%- set tried = 'cast(' ~ trials ~ ' as double)' -%}
    (
        (
            2 * {{ reached }} + {{ z * z }}
            + {{ sign * z }} * sqrt(
                {{ z * z }} + 4 * {{ reached }} * ({{ tried }} - {{ reached }}) / nullif({{ tried }}, 0)
            )
        )
        / (2 * ({{ tried }} + {{ z * z }}))
    )
{%- endmacro %}

{# An end of the interval for the difference of two shares, one - other: Newcombe's hybrid score interval
   (Newcombe 1998, method 10), from the shares and the ends of their intervals by Wilson. To six
   digits, which engines agree on. #}
{% macro newcombe_bound(one, one_end, other, other_end, sign) -%}
    round(
        {{ one }} - {{ other }}
        + {{ sign }} * sqrt(
            power({{ one_end }} - {{ one }}, 2) + power({{ other_end }} - {{ other }}, 2)
        ),
        6
    )
{%- endmacro %}

{# Of the standard normal distribution at 97.5 %: 2.5 % are above it, and as many below its negative. #}
{% macro normal_quantile() -%}
    {{ return(1.959963984540054) }}
{%- endmacro %}
