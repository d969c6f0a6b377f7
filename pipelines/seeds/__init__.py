"""Checks the seed tables before a build.

Belongs here: the declaration of the tables and the rules across rows and tables. Does not belong here: the rows, which
are in ``dbt_project/seeds``.
"""
