{#
Arithmetic that never yields NaN or infinity and never turns NULL into a number.
DuckDB: least(greatest(NULL, 0), 1) is 0, 0.0 / 0.0 is NaN, and NaN sorts above every number.
The meaning of the figures does not belong here: see goalposts.sql and trend.sql.
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
sum(weight * value) / sum(weight) over the values that are not NULL, added in the order of `key`. Sums of doubles depend
on their order, and a score must not depend on the number of threads or on other rows of the table. The mean is clipped
to the range of its values, so that a rounding error cannot move it outside.
#}
{% macro weighted_mean(value, weight, key) -%}
{%- set mean -%}
(sum({{ weight }} * {{ value }} order by {{ key }})
            / nullif(sum({{ weight }} order by {{ key }}) filter (where {{ value }} is not null), 0))
{%- endset -%}
{{ clip(mean, 'min(' ~ value ~ ')', 'max(' ~ value ~ ')') }}
{%- endmacro %}

{#
A score on the scale on which scores are averaged: the score itself, or its logarithm for a geometric mean. For the
logarithm, a score below `floor` counts as `floor`, because one score of 0 would make the whole mean 0. With a floor of
0 it does so.
#}
{% macro to_mean(score, aggregation, floor) -%}
case
            when {{ score }} is null or {{ aggregation }} = 'arithmetic' then {{ score }}
            when {{ score }} > 0 or {{ floor }} > 0 then ln(greatest({{ score }}, {{ floor }}) / 100)
            else '-infinity'::double
        end
{%- endmacro %}

{#
The value that scores are ranked by: the score, rounded to nine decimal places, or to the digits that a framework states.
Two means that differ only by the rounding error of their sums share a rank.
#}
{% macro rank_key(score, digits=none) -%}
round({{ score }}, {{ 9 if digits is none else 'coalesce(' ~ digits ~ ', 9)' }})
{%- endmacro %}

{#
The inverse of `to_mean`: the score of a mean on that scale; if geometric, exp(sum(weight * ln(score)) / sum(weight)).
#}
{% macro from_mean(mean, aggregation) -%}
case when {{ aggregation }} = 'geometric' then 100 * exp({{ mean }}) else {{ mean }} end
{%- endmacro %}
