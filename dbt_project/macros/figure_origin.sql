{# What the pipeline did to a figure, read from obs_status in vintages of the former format; NULL if it did nothing. #}
{% macro former_origin(obs_status) -%}
    case
        when {{ obs_status }} = 'older_vintage' then 'carried_over'
        when {{ obs_status }} = 'kept_from_last_vintage' then 'retained'
        when {{ obs_status }} = 'corrected' then 'corrected'
        when starts_with({{ obs_status }}, 'flagged: ') then 'flagged'
    end
{%- endmacro %}
