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
The value `years` after the latest one, along one slope: '' (the median), '_low' or '_high' (an end of its interval).
Every projection of the project is this one. The relation has the columns x, g_x, logit_x, slope, logit_slope (and both
with _low and _high), shape, transform, valid_min and natural_limit. The result does not pass the natural limit, and
does not go further where x is already beyond it. A ratio above 1 moves towards 1 at most until 1. The ends of an
interval change places above 1, because the smaller ratio is the better one there.
#}
{% macro projected(end, years) -%}
{%- set opposite = {'': '', '_low': '_high', '_high': '_low'}[end] -%}
{%- set grown = along_logit('x', 'logit_x', '(logit_slope' ~ end ~ ' * ' ~ years ~ ')', 'natural_limit') -%}
{%- set moved = from_g('(g_x + slope' ~ end ~ ' * ' ~ years ~ ')', 'transform') -%}
case
            when shape = 'saturating' then {{ clip('(' ~ grown ~ ')', 'valid_min', 'greatest(natural_limit, x)') }}
            when shape = 'parity' and x > 1
                then 1 / {{ clip('(g_x + slope' ~ opposite ~ ' * ' ~ years ~ ')', 'g_x', '1') }}
            else {{ clip('(' ~ moved ~ ')', 'valid_min', 'greatest(natural_limit, x)') }}
        end
{%- endmacro %}
