"""Everything that imports Dagster, except ``pipelines.definitions``.

Belongs here: assets, checks, jobs, schedules, the Dagster instance and its web server. Does not belong here: the work
of a step (an asset calls the same function as the command line), and the command line.
"""
