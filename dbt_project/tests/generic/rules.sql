{#
Every rule of the list holds. One test per table, because a refresh pays about as much for a test as for its query. Each
rule is the name of a generic test with its arguments; `broken_rule` names the rule that a row breaks, and its columns.
#}
{% test rules(model, rules) %}
{% for rule in rules %}
{% set name, arguments = (rule, {}) if rule is string else (rule | items | first) %}
{% set columns = arguments.columns or arguments.patterns or [arguments.column_name] %}
select
    '{{ name }}{% if columns[0] is not none %} {% endif %}{{ columns | join(', ') }}' as broken_rule,
    *
from (
    {#- dbt finds the macros of a test by their names in its text, so that no name can be computed #}
    {%- if name == 'unique_key' %}{{ test_unique_key(model, **arguments) }}
    {%- elif name == 'not_empty' %}{{ test_not_empty(model, **arguments) }}
    {%- elif name == 'filled' %}{{ test_filled(model, **arguments) }}
    {%- elif name == 'finite' %}{{ test_finite(model, **arguments) }}
    {%- elif name == 'in_range' %}{{ test_in_range(model, **arguments) }}
    {%- elif name == 'matches' %}{{ test_matches(model, **arguments) }}
    {%- elif name == 'accepted_values' %}{{ test_accepted_values(model, **arguments) }}
    {%- elif name == 'one_row_each' %}{{ test_one_row_each(model, **arguments) }}
    {%- elif name == 'lists_existing' %}{{ test_lists_existing(model, **arguments) }}
    {%- elif name == 'row_rules' %}{{ test_row_rules(model, **arguments) }}
    {%- else %}{{ exceptions.raise_compiler_error("no rule is called " ~ name) }}
    {%- endif %}
)
{% if not loop.last %}union all by name{% endif %}
{% endfor %}
{% endtest %}
