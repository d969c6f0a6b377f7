-- The figures of every test, of all members and years: what every macro claim_figures_<kind> gives.
{% set kinds = [] %}
{% for name in context if name.startswith('claim_figures_') %}
{% do kinds.append(name) %}
{% endfor %}
{% for name in kinds | sort %}
{{ context[name]() }}
{% if not loop.last %}
union all by name
{% endif %}
{% endfor %}
