{#
How dbt writes a table or view. `start_build` removes the build file if the code has changed, so a relation never changes
its type, and no program reads the file while it is built: dbt's own materializations would write a second relation,
rename both and drop the first, and write the comments with three statements more, for each of a hundred relations.
#}
{% materialization table, adapter='duckdb' %}
{{ return(write_relation(this.incorporate(type='table'))) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
{{ return(write_relation(this.incorporate(type='view'))) }}
{% endmaterialization %}

{# Write a table or view of the model with its comments, in one call of DuckDB. Returns what a materialization returns. #}
{% macro write_relation(target) %}
{{ run_hooks(pre_hooks) }}
{% call statement('main') -%}
begin;
drop {{ target.type }} if exists {{ target }};
{{ create_table_as(False, target, compiled_code) if target.is_table else create_view_as(target, compiled_code) }};
{% if config.persist_relation_docs() %}{{ alter_relation_comment(target, model.description) }}{% endif %}
{% if config.persist_column_docs() %}{{ alter_column_comment(target, model.columns) }}{% endif %}
commit;
{%- endcall %}
{{ run_hooks(post_hooks) }}
{{ return({'relations': [target]}) }}
{% endmacro %}

{# Comments of columns, without a question which columns the relation has: its contract or its seed states them. #}
{% macro duckdb__alter_column_comment(relation, column_dict) %}
{% for column in column_dict.values() %}
comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ duckdb_escape_comment(column.description) }};
{% endfor %}
{% endmacro %}
