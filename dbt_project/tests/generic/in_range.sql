{# Every value of the named columns that is not NULL is at least `low`, greater than `above`, and at most `high`. #}
{% test in_range(model, columns, low=none, high=none, above=none) %}
select *
from {{ model }}
where
    false
    {% for column in columns %}
    {% if low is not none %}or {{ column }} < {{ low }}{% endif %}
    {% if above is not none %}or {{ column }} <= {{ above }}{% endif %}
    {% if high is not none %}or {{ column }} > {{ high }}{% endif %}
    {% endfor %}
{% endtest %}
