{# Values of the named columns, where there are any, lie from `low` to `high`. #}
{% test in_range(model, columns, low, high) %}
select *
from {{ model }}
where {% for column in columns %}{{ column }} not between {{ low }} and {{ high }}{% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}
