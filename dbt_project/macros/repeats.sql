{#
Figures that a source repeats without a new measurement. Staleness does not belong here: see int_cells.
#}

{#
Whether a value lies inside its scale: farther than `end_share` of the limit from both ends of a saturating share, and
not at a limit of another series. At its ends, equal figures are no sign of a repetition.
#}
{% macro is_inside_scale(value, indicators, end_share) -%}
case
            when {{ indicators }}.shape = 'saturating'
                then
                    {{ value }} > {{ end_share }} * {{ indicators }}.valid_max
                    and {{ value }} < (1 - {{ end_share }}) * {{ indicators }}.valid_max
            else
                coalesce({{ value }} <> {{ indicators }}.valid_min, true)
                and coalesce({{ value }} <> {{ indicators }}.valid_max, true)
                and coalesce({{ value }} <> {{ indicators }}.natural_limit, true)
        end
{%- endmacro %}

{# The number of decimal places of a value, at most `most`. #}
{% macro decimal_places(value, most) -%}
case
            {%- for places in range(most) %}
            when {{ value }} = round({{ value }}, {{ places }}) then {{ places }}
            {%- endfor %}
            else {{ most }}
        end
{%- endmacro %}
