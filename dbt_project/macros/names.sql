{#
The values that are not NULL as text, sorted: a, b; NULL without one. A group of an ordered aggregate keeps a buffer of
its own, a sorted list does not: over 2 million rows 5 GB and 0.1 GB.
#}
{% macro names(value) -%}
array_to_string(list_sort(list({{ value }}) filter (where {{ value }} is not null)), ', ')
{%- endmacro %}
