"""Run dbt and read its results.

Belongs here: dbt's process and artifacts, the staging files, failed tests and their rows. Does not belong here: SQL,
which is in ``dbt_project``, and the order of a run, which is in ``pipelines.refresh``.
"""
