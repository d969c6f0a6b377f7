{# Each entry of a list that is separated by semicolons is in column `field` of `to`, or one of `also`. With `flag`,
   only the rows of `to` in which that boolean column is true count. #}
{% test lists_existing(model, column_name, to, field, flag=none, also=[]) %}
select entry
from (select unnest(string_split({{ column_name }}, ';')) as entry from {{ model }})
where
    entry not in (select {{ field }} from {{ to }}{% if flag %} where {{ flag }}{% endif %})
    {% for known in also %}and entry <> '{{ known }}'{% endfor %}
{% endtest %}
