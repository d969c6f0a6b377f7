"""Parsing that adapters share: responses, tables, workbooks, editions, observations, column and country names.

What only one provider sends belongs in its adapter (``sources.providers``).
"""
