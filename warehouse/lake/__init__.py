"""The lake: published tables in DuckLake, for several machines. Its catalogue is in PostgreSQL, its Parquet files in a
folder or an S3 store.

Belongs here: everything that knows DuckLake and PostgreSQL. Does not belong here: settings and what is published.
"""
