{#
Change over time: slopes and their intervals. Goalposts and statuses do not belong here, projections neither: see
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
One end of the interval of that slope; `side` is '-' or '+'. For N slopes between n points it is the k-th slope from
that end, where k is the whole part of (N - z * sqrt(n (n - 1) (2n + 5) / 18)) / 2, and at least 1: Kendall's variance
without ties (Sen 1968; Hollander and Wolfe). For few points it is the smallest or the largest slope. Two points do not
show their uncertainty: NULL.
#}
{% macro slope_limit(slopes, points, side, parameters) -%}
{%- set pairs = 'len(' ~ slopes ~ ')' -%}
{%- set deviation = 'sqrt(' ~ points ~ ' * (' ~ points ~ ' - 1) * (2 * ' ~ points ~ ' + 5) / 18)' -%}
{%- set from_end =
    'greatest(floor((' ~ pairs ~ ' - ' ~ parameters ~ '.interval_z * ' ~ deviation ~ ') / 2), 1)::integer'
-%}
case
        when {{ points }} >= {{ parameters }}.min_trend_points
            then {{ slopes }}[{{ from_end if side == '-' else pairs ~ ' + 1 - ' ~ from_end }}]
    end
{%- endmacro %}
