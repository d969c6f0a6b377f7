{#
How dbt writes a table. `start_build` removes the build file if the code has changed, so a relation never changes its
type, and no program reads the file while it is built: dbt-duckdb's own materialization would write a second table, rename
both and drop the first, four statements and two calls of macros more for each of a hundred tables.
#}
{% materialization table, adapter='duckdb' %}
{%- set target = this.incorporate(type='table') -%}
{{ run_hooks(pre_hooks) }}
{% call statement('main') -%}
drop table if exists {{ target }};
{{ create_table_as(False, target, compiled_code) }}
{%- endcall %}
{% do persist_docs(target, model) %}
{{ run_hooks(post_hooks) }}
{% do adapter.commit() %}
{{ return({'relations': [target]}) }}
{% endmaterialization %}

{# Comments of columns, without a question which columns the relation has: its contract or its seed states them. #}
{% macro duckdb__alter_column_comment(relation, column_dict) %}
{% for column in column_dict.values() %}
comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ duckdb_escape_comment(column.description) }};
{% endfor %}
{% endmacro %}
