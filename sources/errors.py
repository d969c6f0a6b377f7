"""Errors that a person can act on. Messages name the file, entry or indicator and the remedy; nobody needs a traceback.

Does not belong here: provider outcomes (a provider that fails is data, see ``chain.Outcome``).
"""


class ConfigurationError(Exception):
    """What the user configured (catalogue, settings, seeds, arguments) cannot be used. The CLI exits with 2."""
