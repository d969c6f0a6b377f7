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
The mean of scores under an aggregation; a score below `floor` counts as `floor` in a geometric mean, which is 0 where
such a score is 0. It is added up in any order: no score of a scenario is published, and ranks forgive what the order
changes in the last bits (rank_key).
#}
{% macro scenario_mean(score, weight, aggregation, floor) -%}
case any_value({{ aggregation }})
            when 'geometric' then exp(
                sum({{ weight }} * case
                    when {{ score }} > 0 or {{ floor }} > 0 then ln(greatest({{ score }}, {{ floor }}))
                    else '-infinity'::double
                end) / sum({{ weight }})
            )
            else sum({{ weight }} * {{ score }}) / sum({{ weight }})
        end
{%- endmacro %}
