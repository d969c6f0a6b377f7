{#
Change over time: slopes and their noise. Goalposts and statuses do not belong here, projections neither: see
projection.sql.
#}

{# An aggregate over pairs of points: the sorted list of their slopes, in units of y per year; NULL if y is missing. #}
{% macro slopes_of_pairs(later_y, earlier_y, later_year, earlier_year) -%}
{%- set slope = safe_divide('(' ~ later_y ~ ' - ' ~ earlier_y ~ ')', '(' ~ later_year ~ ' - ' ~ earlier_year ~ ')') -%}
list_sort(list({{ slope }}) filter (where {{ later_y }} is not null))
{%- endmacro %}

{#
Theil-Sen estimator: the median of the slopes between all pairs of points (Sen 1968). With two points it is the simple
slope, with one it is NULL.
#}
{% macro theil_sen(slopes) -%}
list_median({{ slopes }})
{%- endmacro %}

{#
The trend, or 0 where it is inside the noise: up to `noise_z` standard errors of a slope. The standard error is the error
of a measurement divided by the square root of `spread`, the sum of squares of the years around their mean. Without a
known error nothing is noise.
#}
{% macro beyond_noise(trend, error, spread, noise_z) -%}
case
        when abs({{ trend }}) <= {{ noise_z }} * {{ error }} / sqrt({{ spread }}) then 0
        else {{ trend }}
    end
{%- endmacro %}
