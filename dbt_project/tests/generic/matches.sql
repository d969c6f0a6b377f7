{# Every value of a column that is not NULL matches the regular expression of that column (`patterns`). #}
{% test matches(model, patterns) %}
select *
from {{ model }}
where {% for column, pattern in patterns.items() %}not regexp_matches({{ column }}, '{{ pattern }}'){% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}
