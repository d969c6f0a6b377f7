{#
The scale between floor and target (declared goalposts: OECD/JRC Handbook on Constructing Composite Indicators; SDG
Index). The sign of target - floor gives the direction. Change over time does not belong here: see trend.sql.
#}

{#
The value that goalposts are compared with: the value itself; for a ratio at parity the smaller of the value and its
inverse, so that both sides of 1 count alike.
#}
{% macro judged(value, shape) -%}
case when {{ shape }} = 'parity' and {{ value }} > 1 then 1 / {{ value }} else {{ value }} end
{%- endmacro %}

{#
g: the scale on which an indicator is linear, either identity or natural logarithm. Under log, a value of 0 or less is
-infinity, the limit: it is beyond every positive goalpost, and has no finite distance to any value.
#}
{% macro to_g(value, transform) -%}
case
            when {{ transform }} = 'none' then {{ value }}
            when {{ transform }} = 'log' and {{ value }} > 0 then ln({{ value }})
            when {{ transform }} = 'log' and {{ value }} <= 0 then '-infinity'::double
        end
{%- endmacro %}

{# The inverse of g, in units of the indicator. #}
{% macro from_g(g, transform) -%}
case when {{ transform }} = 'log' then exp({{ g }}) else {{ g }} end
{%- endmacro %}

{# 100 * clip((g - g_floor) / (g_target - g_floor), 0, 1); NULL for NULL, NaN or an empty range. #}
{% macro level_score(g, g_floor, g_target) -%}
case
            when not isnan({{ g }})
                then 100 * {{ clip(
                    '((' ~ g ~ ' - ' ~ g_floor ~ ') / nullif(' ~ g_target ~ ' - ' ~ g_floor ~ ', 0))', '0.0', '1.0'
                ) }}
        end
{%- endmacro %}

{# Whether a value has reached `mark` in the direction from floor to target; NULL for NULL. #}
{% macro meets(value, mark, floor_value, target_value) -%}
case
            when {{ target_value }} > {{ floor_value }} then {{ value }} >= {{ mark }}
            when {{ target_value }} < {{ floor_value }} then {{ value }} <= {{ mark }}
        end
{%- endmacro %}

{#
The value from which the pace target counts as met: met_value if it is the target itself, else the pace target. The
relation has the columns of `benchmarks`.
#}
{% macro pace_met_value(benchmarks) -%}
case
            when {{ benchmarks }}.pace_target_value <> {{ benchmarks }}.target_value then {{ benchmarks }}.pace_target_value
            else coalesce({{ benchmarks }}.met_value, {{ benchmarks }}.target_value)
        end
{%- endmacro %}
