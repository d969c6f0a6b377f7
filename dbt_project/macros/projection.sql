{#
Projections: the shapes of growth, their limits, and the value of a later year. Slopes do not belong here: see trend.sql.
Saturating shares are projected in logit(x / upper), so that they approach the upper limit and never pass it.
#}

{# ln(s / (1 - s)) of the share s = value / upper, which is first clipped to `limit` and 1 - `limit`. #}
{% macro logit(value, upper, limit) -%}
ln(
            {{ clip('(' ~ value ~ ' / ' ~ upper ~ ')', limit, '(1 - ' ~ limit ~ ')') }}
            / (1 - {{ clip('(' ~ value ~ ' / ' ~ upper ~ ')', limit, '(1 - ' ~ limit ~ ')') }})
        )
{%- endmacro %}

{#
The value after a change of `change` in logit. The difference of the two logistic values is added to the value, because
the logit of a value at a limit is that of a clipped share.
#}
{% macro along_logit(value, logit, change, upper) -%}
{{ value }} + ({{ upper }} / (1 + exp(-({{ logit }} + {{ change }}))) - {{ upper }} / (1 + exp(-({{ logit }}))))
{%- endmacro %}

{#
The value at the distance `change` from `start` on the own scale h. The relation has the columns named after `start`:
x, h_x, logit_x or x0, h_x0, logit_x0, and shape, transform and valid_max. A ratio above 1 stays above 1.
#}
{% macro moved(start, change) -%}
case
            when shape = 'saturating' then {{ along_logit(start, 'logit_' ~ start, change, 'valid_max') }}
            when shape = 'parity' and {{ start }} > 1 then 1 / nullif(h_{{ start }} + {{ change }}, 0)
            else {{ from_g('(h_' ~ start ~ ' + ' ~ change ~ ')', 'transform') }}
        end
{%- endmacro %}

{#
The natural limits of an indicator, NULL without one. A bound of the valid range that only catches typing errors is none.
#}
{% macro limits(indicators, benchmarks, parameters) -%}
case
            when {{ indicators }}.shape = 'saturating' then {{ indicators }}.valid_min
            when {{ benchmarks }}.transform = 'none' and {{ indicators }}.valid_min >= 0 then {{ indicators }}.valid_min
        end as lower_limit,
        {{ indicators }}.natural_limit as upper_limit,
        {{ parameters }}.logit_share_limit as ratio_limit
{%- endmacro %}

{#
The value after `change` on the own scale, inside the natural limits, and not further away where x is already beyond
them. Every projection, and every end of an interval, is this one. lower_limit and upper_limit are columns; NULL is no
limit. A ratio above 1 moves towards 1, at most until 1, and away from 1 without a limit.
#}
{% macro projected(change) -%}
case
            when shape = 'parity' and x > 1 then 1 / {{ clip('(h_x + ' ~ change ~ ')', 'ratio_limit', '1') }}
            else
                {{ clip(
                    '(' ~ moved('x', change) ~ ')',
                    '(case when lower_limit > x then x else lower_limit end)',
                    '(case when upper_limit < x then x else upper_limit end)'
                ) }}
        end
{%- endmacro %}

{#
The probability that a past error of the projection reaches `needed` on the own scale: the share of the column
`percentiles` that do, kept half a percent away from 0 and 1.
#}
{% macro probability(needed, is_upwards) -%}
case
            when percentiles is null then null
            else (
                0.5 + case
                    when {{ is_upwards }} then len(list_filter(percentiles, lambda p: p >= {{ needed }}))
                    else len(list_filter(percentiles, lambda p: p <= {{ needed }}))
                end
            ) / 100
        end
{%- endmacro %}
