"""Checks of sources outside of a refresh: catalogue links, new editions, smoke checks of services.

Nothing here writes a vintage.
"""
