{# Each of `rules` holds in every row: `expression` is true, or unknown because a value is NULL. `column` is the column
   for the message, and `message` describes the fault. #}
{% test row_rules(model, rules) %}
{% for rule in rules %}
select
    *,
    '{{ rule.column }} {{ rule.message }}' as fault
from {{ model }}
where not ({{ rule.expression }})
{% if not loop.last %}union all{% endif %}
{% endfor %}
{% endtest %}
