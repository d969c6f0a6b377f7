"""Exports of the published file: a data package of CSV and Parquet files, and a workbook.

Does not belong here: the report and the briefs.
"""
