"""Answers that more than one front end gives: queries on the published file whose results have one shape everywhere.

Belongs here: what the command line and the MCP server both answer. Does not belong here: how an answer is printed
(``pipelines.cli``) or sent (``pipelines.mcp_server``).
"""
