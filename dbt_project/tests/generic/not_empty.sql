{# The table has at least one row. #}
{% test not_empty(model) %}
select 'nothing in {{ model.identifier }}' as fault
where not exists (select 1 from {{ model }})
{% endtest %}
