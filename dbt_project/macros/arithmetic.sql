{#
Arithmetic that never yields NaN or infinity and never turns NULL into a number.
DuckDB: least(greatest(NULL, 0), 1) is 0, 0.0 / 0.0 is NaN, and NaN sorts above every number.
Does not belong here: what the figures mean (goalposts.sql, trend.sql).
#}

{# The value, or NULL where it is NaN or infinite. #}
{% macro finite(value) -%}
case when isfinite({{ value }}) then {{ value }} end
{%- endmacro %}

{# numerator / denominator; NULL where either is missing or not finite, or the denominator is 0. #}
{% macro safe_divide(numerator, denominator) -%}
case
            when isfinite({{ numerator }}) and isfinite({{ denominator }}) and {{ denominator }} <> 0
                then ({{ numerator }})::double / ({{ denominator }})
        end
{%- endmacro %}

{# The value, not below `low` and not above `high`. NULL stays NULL. #}
{% macro clip(value, low, high) -%}
case when {{ value }} < {{ low }} then {{ low }} when {{ value }} > {{ high }} then {{ high }} else {{ value }} end
{%- endmacro %}

{#
sum(weight * value) / sum(weight) over the values there are. Added up in the order of `key`: sums of doubles depend on
their order, and a score must not depend on the number of threads or on who else is in the table. A mean never leaves
the range of its values, whatever the last bit says.
#}
{% macro weighted_mean(value, weight, key) -%}
{%- set mean -%}
(sum({{ weight }} * {{ value }} order by {{ key }})
            / nullif(sum({{ weight }} order by {{ key }}) filter (where {{ value }} is not null), 0))
{%- endset -%}
{{ clip(mean, 'min(' ~ value ~ ')', 'max(' ~ value ~ ')') }}
{%- endmacro %}

{#
The scale on which scores are averaged: themselves, or for a geometric mean their logarithm, a score below `floor`
counting as `floor`, because one empty part would make everything 0. With a floor of 0 it does.
#}
{% macro to_mean(score, aggregation, floor) -%}
case
            when {{ score }} is null or {{ aggregation }} = 'arithmetic' then {{ score }}
            when {{ score }} > 0 or {{ floor }} > 0 then ln(greatest({{ score }}, {{ floor }}) / 100)
            else '-infinity'::double
        end
{%- endmacro %}

{#
What scores are ranked by: the score itself, unrounded but for the ninth decimal place, so that two means which differ
by the rounding error of their sums share a rank.
#}
{% macro rank_key(score) -%}
round({{ score }}, 9)
{%- endmacro %}

{# The score that a mean on that scale stands for: exp(sum(weight * ln(score)) / sum(weight)) where geometric. #}
{% macro from_mean(mean, aggregation) -%}
case when {{ aggregation }} = 'geometric' then 100 * exp({{ mean }}) else {{ mean }} end
{%- endmacro %}
