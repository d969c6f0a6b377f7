{#
Arithmetic of the scenarios behind the rank bands. Does not belong here: which scenarios there are (int_scenarios).
#}

{#
A number from 0 up to, but not including, 1 that looks random and is the same everywhere and always: the first 52 bits
of the MD5 hash of `text`, which a double holds exactly.
#}
{% macro hashed_uniform(text) -%}
(('0x' || left(md5({{ text }}), 13))::bigint / {{ 2 ** 52 }}::double)
{%- endmacro %}

{#
A sum that is the same in any order: whole numbers of 10^-18 add up exactly, and several times faster than doubles that
have to be put in order first.
#}
{% macro exact_sum(value) -%}
(sum((({{ value }}) * 1e18)::hugeint)::double / 1e18)
{%- endmacro %}

{#
The mean of scores under an aggregation. In a geometric mean a score below `floor` counts as `floor`; where the floor is
0, ln 0 is a number that makes every mean 0 to any printed digit, since an exact sum has no infinity.
#}
{% macro scenario_mean(score, weight, aggregation, floor) -%}
{%- set logarithm -%}
case
                    when {{ score }} > 0 or {{ floor }} > 0 then ln(greatest({{ score }}, {{ floor }}))
                    else -100000
                end
{%- endset -%}
case any_value({{ aggregation }})
            when 'geometric'
                then exp({{ exact_sum(weight ~ ' * ' ~ logarithm) }} / {{ exact_sum(weight) }})
            else {{ exact_sum(weight ~ ' * ' ~ score) }} / {{ exact_sum(weight) }}
        end
{%- endmacro %}
