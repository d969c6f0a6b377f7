"""Checks of sources before or apart from a refresh: links, new editions, the contract of each service.

Does not belong here: figures of a refresh; nothing here writes a vintage.
"""
