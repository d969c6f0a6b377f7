{# What the pipeline did to a figure, from the obs_status of a vintage of the former format; NULL where nothing. #}
{% macro former_origin(obs_status) -%}
    case
        when {{ obs_status }} = 'older_vintage' then 'carried_over'
        when {{ obs_status }} = 'kept_from_last_vintage' then 'retained'
        when {{ obs_status }} = 'corrected' then 'corrected'
        when starts_with({{ obs_status }}, 'flagged: ') then 'flagged'
    end
{%- endmacro %}
