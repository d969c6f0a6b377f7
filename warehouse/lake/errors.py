"""The error of a lake, in a module that imports nothing, so that every command can name it."""


class LakeError(Exception):
    """The lake cannot be used. The message names the cause and the remedy, and has no secret."""
