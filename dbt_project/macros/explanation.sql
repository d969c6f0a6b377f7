{#
The arithmetic behind a score as text that a reader, or a test, can evaluate. Scores in it are rounded to four digits
after the point; observations and goalposts are not rounded.
The arithmetic itself does not belong here: see arithmetic.sql and goalposts.sql.
#}

{# The value on the scale g as text: ln(2.5), 2.5, (-2.5), or (1 / 1.25) for a ratio above parity. #}
{% macro g_text(value, transform, shape) -%}
case
            when {{ shape }} = 'parity' and {{ value }} > 1 then '(1 / ' || {{ value }} || ')'
            when {{ transform }} = 'log' then 'ln(' || {{ value }} || ')'
            when {{ value }} < 0 then '(' || {{ value }} || ')'
            else ({{ value }})::varchar
        end
{%- endmacro %}

{# (from - to) / (from - to), each pair of values on the scale g, as text. #}
{% macro ratio_text(x, from, to, transform, shape) -%}
'(' || {{ g_text(x, transform, shape) }} || ' - ' || {{ g_text(from, transform, shape) }} || ') / ('
        || {{ g_text(to, transform, shape) }} || ' - ' || {{ g_text(from, transform, shape) }} || ')'
{%- endmacro %}

{#
The value on the own scale h as text: ln(54.2 / (100 - 54.2)) for a share that saturates, kept off 0 and 1 as in `logit`,
else as in `g_text`.
#}
{% macro h_text(value, transform, shape, upper, limit) -%}
case
            when {{ shape }} = 'saturating'
                then
                    format(
                        'ln({0} / ({1} - {0}))',
                        {{ clip(value, '(' ~ limit ~ ' * ' ~ upper ~ ')', '((1 - ' ~ limit ~ ') * ' ~ upper ~ ')') }},
                        {{ upper }}
                    )
            else {{ g_text(value, transform, shape) }}
        end
{%- endmacro %}

{#
The projection as text: the value after `change`, which is a text too, on the scale of the projection (logit, logarithm
or the unit of the indicator).
#}
{% macro projection_text(value, change, transform, shape, logit, upper) -%}
case
            when {{ shape }} = 'saturating'
                then
                    format(
                        '{0} + ({1} / (1 + exp(-({2} + {3}))) - {1} / (1 + exp(-({2}))))',
                        {{ value }}, {{ upper }}, {{ logit }}, {{ change }}
                    )
            when {{ shape }} = 'parity' and {{ value }} > 1
                then format('1 / least(1 / {0} + {1}, 1)', {{ value }}, {{ change }})
            when {{ transform }} = 'log' then format('exp(ln({}) + {})', {{ value }}, {{ change }})
            else format('{} + {}', {{ value }}, {{ change }})
        end
{%- endmacro %}

{#
An aggregate: the mean as text, e.g. (71.2 + 30.0) / 2, (2 * 71.2 + 30.0) / 3 or exp((ln(71.2) + ln(30.0)) / 2); NULL
without a value. `floor` as in `to_mean` (arithmetic.sql).
#}
{% macro mean_text(value, weight, key, aggregation, floor) -%}
{%- set is_geometric = aggregation ~ " = 'geometric'" -%}
{%- set terms -%}
string_agg(
            case
                when {{ value }} is null then null
                else
                    case when {{ weight }} = 1 then '' else format('{:g} * ', {{ weight }}) end
                    || case
                        when not {{ is_geometric }} then round({{ value }}, 4)::varchar
                        else 'ln(' || round(greatest({{ value }}, {{ floor }}), 4) || ')'
                    end
            end,
            ' + ' order by {{ key }}
        )
{%- endset -%}
case when any_value({{ is_geometric }}) then 'exp(' else '' end
        || '(' || {{ terms }} || ') / '
        || format('{:g}', {{ exact_sum('case when ' ~ value ~ ' is not null then ' ~ weight ~ ' end') }})
        || case when any_value({{ is_geometric }}) then ')' else '' end
{%- endmacro %}
