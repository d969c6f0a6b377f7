"""Errors that a user can correct. Messages name the file, entry or indicator and the remedy, without a traceback.

Failures of a provider do not belong here: they are outcomes (``provider.Outcome``).
"""


class ConfigurationError(Exception):
    """A setting, argument, seed or entry of the catalogue cannot be used. The command line exits with 2."""
