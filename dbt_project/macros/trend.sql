{#
Change over time: slopes, pace, projection. Does not belong here: goalposts, status.
Saturating shares are projected in logit(x / upper), so that they approach the upper limit and never pass it.
#}

{# An aggregate over pairs of points: the sorted list of their slopes, in units of y a year; NULL where y is missing. #}
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
One end of the interval of that slope, `side` '-' or '+': of N slopes between n points the k-th from its end, k the whole
part of (N - z * sqrt(n (n - 1) (2n + 5) / 18)) / 2 and at least 1: Kendall's variance without ties (Sen 1968; Hollander
and Wolfe). Of few points that is the smallest or the largest slope. Two points say nothing of their uncertainty: NULL.
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

{# ln(s / (1 - s)) of the share s = value / upper, the share kept `limit` away from 0 and 1. #}
{% macro logit(value, upper, limit) -%}
ln(
            {{ clip('(' ~ value ~ ' / ' ~ upper ~ ')', limit, '(1 - ' ~ limit ~ ')') }}
            / (1 - {{ clip('(' ~ value ~ ' / ' ~ upper ~ ')', limit, '(1 - ' ~ limit ~ ')') }})
        )
{%- endmacro %}

{# The value moved by `change` in logit. A value at a limit, whose share was kept away from it, starts where it is. #}
{% macro along_logit(value, logit, change, upper) -%}
{{ value }} + ({{ upper }} / (1 + exp(-({{ logit }} + {{ change }}))) - {{ upper }} / (1 + exp(-({{ logit }}))))
{%- endmacro %}
