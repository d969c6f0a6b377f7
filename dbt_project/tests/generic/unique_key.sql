{# No two rows have the same key, and every column of the key has a value, except the columns in `nullable`. #}
{% test unique_key(model, columns, nullable=[]) %}
select
    {{ columns | join(', ') }},
    count(*) as rows_with_the_key
from {{ model }}
group by all
having count(*) > 1{% for column in columns if column not in nullable %} or {{ column }} is null{% endfor %}
{% endtest %}
