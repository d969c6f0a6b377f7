{#
A published table, for the query of a view: named without a database, so that the view reads the file it is in, whatever
the name of the file, or under which it is attached. (In a linter, `ref` gives plain text.)
#}
{% macro published(table) -%}
{%- set relation = ref(table) -%}
{{ relation.include(database=false) if relation.include is defined else relation }}
{%- endmacro %}

{# Words for a column of codes: the table code_words joined as `alias`, or the code with spaces where it has no entry. #}
{% macro in_words(alias, code) -%}
coalesce({{ alias }}.words, replace({{ code }}, '_', ' '))
{%- endmacro %}
