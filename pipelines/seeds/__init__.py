"""Check the seed tables before a build.

Belongs here: the codes that dbt and Python share, reading the CSV files, the check of each file against its declaration
(``dbt_project/seeds/_*.yml``), and the rules that compare rows or tables. Does not belong here: the rows, which are in
``dbt_project/seeds``.
"""
