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
A sum that is the same in any order, for very many groups: whole numbers of 10^-18 add up exactly, and several times
faster than doubles that have to be put in order first.
#}
{% macro exact_sum(value) -%}
(sum((({{ value }}) * 1e18)::hugeint)::double / 1e18)
{%- endmacro %}

{#
A weighted mean, given as sum(weight * value) and sum(weight), after the value `old` has become `new`, or has dropped out
where `new` is NULL. NULL where nothing is left but rounding. Where `old` was missing nothing changes.
#}
{% macro mean_with(total, total_weight, weight, old, new) -%}
case
            when {{ old }} is null then {{ total }} / {{ total_weight }}
            when {{ new }} is not null then ({{ total }} + {{ weight }} * ({{ new }} - {{ old }})) / {{ total_weight }}
            when {{ total_weight }} - {{ weight }} > 1e-9
                then ({{ total }} - {{ weight }} * {{ old }}) / ({{ total_weight }} - {{ weight }})
        end
{%- endmacro %}

{#
From the scale on which one aggregation is the arithmetic mean to that of another: the values themselves, or their ln for
the geometric mean, in which a value below `floor` counts as `floor`. ln 0, where the floor is 0, becomes a number that
makes every mean 0 to any printed digit: -infinity could not be taken out of a sum again.
#}
{% macro rescale(value, from_aggregation, to_aggregation, floor) -%}
case
            when {{ from_aggregation }} = {{ to_aggregation }} then {{ value }}
            when {{ from_aggregation }} = 'geometric' then exp({{ value }})
            when {{ value }} >= {{ floor }} and {{ value }} > 0 then ln({{ value }})
            when {{ value }} is not null and {{ floor }} > 0 then ln({{ floor }})
            when {{ value }} is not null then -100000
        end
{%- endmacro %}
