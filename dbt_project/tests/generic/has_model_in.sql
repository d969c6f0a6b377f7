{#
For each value of the column, the model `union` reads a model <union>_<value>. The test raises an error, which names the
values without a model; a failure would only count them. string_agg of no rows is NULL and raises no error.
#}
{% test has_model_in(model, column_name, union) %}
{% set models = [] %}
{% if execute %}
{% for id in graph.nodes['model.' ~ project_name ~ '.' ~ union].depends_on.nodes %}
{% do models.append("'" ~ id.split('.')[-1] ~ "'") %}
{% endfor %}
{% endif %}
select 'in the error' as fault
from {{ model }}
where not list_contains([{{ models | join(', ') }}]::varchar[], '{{ union }}_' || {{ column_name }})
having error('{{ union }} reads no model for the {{ column_name }} ' || string_agg({{ column_name }}, ', ')) is not null
{% endtest %}
