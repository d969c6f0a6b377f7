{#
The rule of the status: conditions of a `case`, in the order that is part of the method (docs/method.md). A cell of the
scorecard and a case of the past meet the same conditions; what only a cell can lack is in int_indicator_scores.
#}

{# What the latest value and the baseline say. An index with editions (`has_editions`) is judged by the target alone. #}
{% macro status_of_values(has_editions=none) -%}
when is_met then { 'status': 'achieved', 'reason': 'met' }
            {%- if has_editions %}
            when {{ has_editions }} then { 'status': 'insufficient_data', 'reason': 'not_comparable_edition' }
            {%- endif %}
            when was_met then { 'status': 'decreasing', 'reason': 'baseline_met' }
            when is_pace_met then { 'status': 'on_track', 'reason': 'met' }
            when was_pace_met then { 'status': 'decreasing', 'reason': 'baseline_met' }
{%- endmacro %}

{# What the trend says, with `pace` against the thresholds (one row of `falling_thresholds`). #}
{% macro status_of_trend(is_noise, pace) -%}
when {{ is_noise }} then { 'status': 'stagnating', 'reason': 'within_noise' }
            when is_reached then { 'status': 'on_track', 'reason': 'pace' }
            else
                {
                    'status': coalesce(
                        list_filter(thresholds.falling, lambda t: {{ pace }} >= t['least'])[1].status, 'decreasing'
                    ),
                    'reason': 'pace'
                }
{%- endmacro %}

{# One row with the thresholds from the highest on: an as-of join with them would sort all cells. #}
{% macro falling_thresholds() -%}
select list({ 'least': min_pace_ratio, 'status': status } order by min_pace_ratio desc) as falling
    from {{ ref('status_thresholds') }}
{%- endmacro %}
