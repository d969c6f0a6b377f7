"""The outside world, turned into observations.

Belongs here: what is fetched from whom (``catalog/``), how it is fetched (``http``), how each provider's bytes are read
(``providers/``), the one observation contract (``observation``) and the order in which providers are asked (``chain``).
Does not belong here: Dagster, DuckDB, paths of the warehouse, scores. Nothing in this package imports ``pipelines``,
``warehouse`` or ``dagster``.
"""
