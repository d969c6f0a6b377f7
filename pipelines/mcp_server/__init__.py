"""The published file for programs that speak the Model Context Protocol, read-only.

Belongs here: tools, resources, limits and transports. Does not belong here: queries that the command line answers too
(``pipelines.answers``), the guard of free queries (``pipelines.published``).
"""
