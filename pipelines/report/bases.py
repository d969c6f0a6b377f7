"""The bases of benchmarks in the language of a page.

Belongs here: finding the text of a basis whose numbers vary. Does not belong here: the texts (``names.bases`` in
``pipelines.texts``), where the figures come from (seed ``benchmarks``).
"""

from __future__ import annotations

import re

from pipelines.texts.words import Words

_VARYING = re.compile(r"\d+(?:\.\d+)?|[A-Z]{3}(?: [A-Z]{3})+")


def pattern_of(basis: str) -> str:
    """Return a basis with ``{}`` for each number and each list of codes: ``{}th percentile of the {} economies``."""
    return _VARYING.sub("{}", basis)


def basis_in(words: Words, basis: str | None) -> str:
    """Return a basis in the language, or as it is published if the texts lack it."""
    if basis is None:
        return ""
    pattern = pattern_of(basis)
    text = words.name("bases", pattern, pattern)
    varying = [words.plain(float(one)) if "." in one else one for one in _VARYING.findall(basis)]
    return text.format(*varying)
