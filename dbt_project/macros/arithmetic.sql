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
A sum that is the same in any order, as whole numbers are: sums of doubles depend on their order, and a score must not
depend on the number of threads or on other rows of the table. The parts before and after the point are added apart,
the latter in units of 2^-96. Values from 10^-13 keep all their digits, the sum may reach 1.7 * 10^38, and a group
may have 2 * 10^9 rows. A value of -infinity (see `to_mean`) makes the sum -infinity; NaN, +infinity and a larger sum are
errors that stop the build.
#}
{% macro exact_sum(value) -%}
{%- set finite_value = "nullif(" ~ value ~ ", '-infinity'::double)" -%}
case
            when min({{ value }}) = '-infinity'::double then '-infinity'::double
            else
                sum(trunc({{ finite_value }})::hugeint)::double
                + sum((({{ finite_value }} - trunc({{ finite_value }})) * 2::double ** 96)::hugeint)::double
                / 2::double ** 96
        end
{%- endmacro %}

{# The mean of the values that are not NULL, the same in any order. #}
{% macro exact_mean(value) -%}
(({{ exact_sum(value) }}) / count({{ value }}))
{%- endmacro %}

{#
sum(weight * value) / sum(weight) over the values that are not NULL. The mean is clipped to the range of its values, so
that a rounding error cannot move it outside.
#}
{% macro weighted_mean(value, weight) -%}
{%- set mean -%}
(({{ exact_sum('(' ~ weight ~ ' * ' ~ value ~ ')') }})
            / nullif({{ exact_sum('case when ' ~ value ~ ' is not null then ' ~ weight ~ ' end') }}, 0))
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
