"""Parsing that adapters share: figures, column names, workbooks, editions, country names.

Does not belong here: what only one provider sends.
"""
