"""Reasons of verdicts and tests in the language of a page, from the codes and operands that the models publish.

Belongs here: replacing the ids in the operands by names. Does not belong here: the sentences (``pipelines.texts``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from pipelines.texts.words import ENGLISH, Words

PUBLISHED = ("definition", "may_mean")
"""Operands that are English text of the seeds; pages in other languages mark them as English."""


class Reasons:
    """Writes reasons with the names of members and series instead of their ids.

    Args:
        words: Texts of the language.
        titles: English title by indicator id.
        names: Name by ISO3 code, in the language.
    """

    def __init__(self, words: Words, titles: Mapping[str, str], names: Mapping[str, str]):
        self._words, self._titles, self._names = words, titles, names

    def __call__(self, operands: str) -> str:
        """Return the reason that a column ``reason_operands`` or ``verdict_reason_operands`` holds."""
        parts = json.loads(operands)
        reason = self._words.sentence("claim_reason", {"parts": [self._named(part) for part in parts]})
        return reason if self._words.language == ENGLISH else _marked(reason, _published(parts))

    def summary(self, operands: str) -> str:
        """Return the first part of ``verdict_reason_operands`` if it sums up all tests; an empty text if not."""
        first = json.loads(operands)[:1]
        return self(json.dumps(first)) if first and first[0]["code"] == "claim_summary" else ""

    def _named(self, value: Any, name: str = "") -> Any:
        """Replace the ids in an operand of this name, also inside of parts and lists."""
        if isinstance(value, dict):
            return {key: self._named(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self._named(one, name) for one in value]
        if name in ("series", "with_series") and value in self._titles:
            title = self._words.name("indicators", value, self._titles[value])
            return self._words("claims.series", title=title)
        if name == "members":
            return self._names.get(value, value)
        return self._variant(value) if name in ("variant", "variants") else value

    def _variant(self, value: str) -> str:
        """Return the name of a kind of mean, or of a base year such as ``since 2019``."""
        _, since, year = value.partition("since ")
        return self._words("claims.since", year=year) if since else self._mean(value)

    def _mean(self, code: str) -> str:
        return str(self._words.get("claims.means").get(code) or self._words.name("variants", code, code))


def _published(value: Any, name: str = "") -> list[str]:
    """Return the operands of a reason that are English text."""
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in _published(one, key)]
    if isinstance(value, list):
        return [text for one in value for text in _published(one, name)]
    return [value] if name in PUBLISHED and value else []


def _marked(reason: str, published: list[str]) -> str:
    """Return a reason with its English texts marked as such for screen readers and translators."""
    marked = escape(reason)
    for text in dict.fromkeys(published):
        marked = marked.replace(escape(text), Markup('<span lang="en">{}</span>').format(text))
    return marked if published else reason
