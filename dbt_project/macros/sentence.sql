{#
The English sentence for a code and its operands, two columns: pipelines/texts/en.yml, section `sentences`. Operands are
a JSON object; `Words.sentence` describes them. The function is written in Python (pipelines/dbt/sentences.py). DuckDB
runs a subquery only once for rows that have the same code and operands.
#}
{% macro sentence(code, operands) -%}
(select sentence({{ code }}, {{ operands }}))
{%- endmacro %}
