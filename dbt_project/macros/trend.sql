{#
Change over time: slopes, pace, projection. Does not belong here: goalposts, status.
Saturating shares are projected in logit(x / upper), so that they approach the upper limit and never pass it.
#}

{#
Theil-Sen estimator: the median of the slopes between all pairs of points (Sen 1968). With two points it is the simple
slope, with one it is NULL. An aggregate over pairs of points, in units of y a year.
#}
{% macro theil_sen(later_y, earlier_y, later_year, earlier_year) -%}
median({{ safe_divide('(' ~ later_y ~ ' - ' ~ earlier_y ~ ')', '(' ~ later_year ~ ' - ' ~ earlier_year ~ ')') }})
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
