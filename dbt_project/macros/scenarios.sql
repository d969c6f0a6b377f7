{#
Arithmetic of the scenarios behind the rank bands. The list of scenarios does not belong here: see int_scenarios.
#}

{#
A pseudo-random number from 0 up to, but not including, 1. It is the same on every machine and at every build: the first
52 bits of the MD5 hash of `text`, which a double holds exactly.
#}
{% macro hashed_uniform(text) -%}
(('0x' || left(md5({{ text }}), 13))::bigint / {{ 2 ** 52 }}::double)
{%- endmacro %}

{# The factor on a weight in a set; `name` is what the weight belongs to. Set 0 has the declared weights. #}
{% macro weight_factor(name) -%}
case
        when weight_set = 0 then 1
        else 1 + weight_spread * (2 * {{ hashed_uniform("concat_ws('|', framework_id, weight_set, " ~ name ~ ")") }} - 1)
    end
{%- endmacro %}

{#
`exact_sum` (arithmetic.sql) for scores and weights: in multiples of 10^-18, up to 10^20, without infinities. Scenarios
add tens of millions of them, and this takes two thirds of the time.
#}
{% macro scenario_sum(value) -%}
(sum((({{ value }}) * 1e18)::hugeint)::double / 1e18)
{%- endmacro %}

{#
The mean of scores under an aggregation. In a geometric mean a score below `floor` counts as `floor`. With a
floor of 0, ln 0 is replaced by a number that makes the mean 0 in every printed digit, since the sum has no
infinity.
#}
{% macro scenario_mean(score, weight, aggregation, floor) -%}
{%- set on_scale -%}
case
                    when {{ aggregation }} <> 'geometric' then {{ score }}
                    when {{ score }} > 0 or {{ floor }} > 0 then ln(greatest({{ score }}, {{ floor }}))
                    else -100000
                end
{%- endset -%}
{%- set mean -%}
({{ scenario_sum(weight ~ ' * ' ~ on_scale) }} / {{ scenario_sum(weight) }})
{%- endset -%}
case when any_value({{ aggregation }}) = 'geometric' then exp({{ mean }}) else {{ mean }} end
{%- endmacro %}
