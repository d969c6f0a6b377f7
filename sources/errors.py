"""Errors that a user can correct. Messages name the file, entry or indicator and the remedy, without a traceback.

Failures of a provider do not belong here: they are outcomes (``provider.Outcome``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that control a terminal or the direction of a text, except line feed and tab."""
_CONTROLS_AND_ENDS = re.compile(rf"{CONTROLS.pattern}|[\t\n\u2028\u2029]")


def printable(text: str, lines: bool = False) -> str:
    """Return the text with its control characters written as escapes, such as ``\\x1b``.

    Args:
        text: A text that may come from a provider: a content type, a message, the name of a field.
        lines: Keep line feeds and tabs.
    """
    return (CONTROLS if lines else _CONTROLS_AND_ENDS).sub(lambda found: ascii(found[0])[1:-1], text)


class ConfigurationError(Exception):
    """A setting, argument, seed or entry of the catalogue cannot be used. The command line exits with 2."""


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return the first names, and how many more there are.

    Example:
        >>> listed(["KAZ", "KGZ", "TJK"], 2)
        'KAZ, KGZ and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return ``; did you mean X or Y?`` with the names most like the given one, to end a message; empty if none is.

    Example:
        >>> did_you_mean("gii_scor", ["gii_rank", "gii_score"])
        '; did you mean gii_score or gii_rank?'
    """
    from difflib import get_close_matches  # needed for a mistake only

    by_lower = {name.lower(): name for name in known}
    near = [by_lower[name] for name in get_close_matches(given.lower(), by_lower, n=3, cutoff=0.7)]
    return f"; did you mean {' or '.join(near)}?" if near else ""
