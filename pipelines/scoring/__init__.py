"""Score tables without a refresh: the compiled models of the dbt project, run in DuckDB in memory.

Belongs here: the compiled scoring models and their order, folders of tables, changed figures. Does not belong here: any
arithmetic of a score, which is in ``dbt_project``; printing (``pipelines.cli``).
"""
