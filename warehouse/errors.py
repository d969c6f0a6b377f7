"""Why nothing can be read: errors of a publication, for callers that catch them without opening one.

Belongs here: what ``reading`` and ``publish`` raise. Does not belong here: faults of the lake (``lake.errors``).
"""

from __future__ import annotations


class NotPublished(Exception):
    """Nothing is published, or the build must not be. The message has the reason; an earlier publication remains."""


class Unreadable(Exception):
    """A file is not a publication, or not a part of one. The message names the file and the remedy."""
