"""The stored data and its publication: raw bodies, landed vintages, the build file, the published file.

Belongs here: paths, Parquet, DuckDB files. Does not belong here: providers, HTTP, Dagster, the meaning of a value.
Nothing in this package imports ``sources``, ``pipelines`` or ``dagster``.
"""
