{# The named columns have neither NaN nor infinity. A score is a number or NULL. #}
{% test finite(model, columns) %}
select *
from {{ model }}
where {% for column in columns %}not isfinite({{ column }}){% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}
