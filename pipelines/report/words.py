"""Texts and figures in a language: the files ``texts/*.yml`` and the way in which numbers, dates and units are written.

Belongs here: finding a text, formats of figures. Does not belong here: the texts themselves, what a page shows.
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.formatting import GAP
from sources.errors import ConfigurationError

TEXTS = Path(__file__).parent / "texts"
LANGUAGES = tuple(sorted(path.stem for path in TEXTS.glob("*.yml")))

MINUS = "−"

_DIGITS = {
    "pct": 1,
    "percent": 1,
    "percent_change": 1,
    "pct_gni_per_head": 2,
    "pct_gdp": 2,
    "pct_gross": 1,
    "pct_of_trade": 1,
    "pct_of_service_exports": 1,
    "per_100_people": 1,
    "per_bn_ppp_gdp": 2,
    "index_0_1": 3,
    "score_0_1": 3,
    "score_0_20": 1,
    "score_0_100": 1,
    "score_1_5": 2,
    "wgi_estimate": 2,
    "ratio": 2,
    "rank": 0,
}
"""Digits after the point by unit; figures of other units have no usual size and get four significant digits."""


@cache
def _load(language: str) -> dict[str, Any]:
    if language not in LANGUAGES:
        raise ConfigurationError(f"{language!r} is no language of the pages; there are {', '.join(LANGUAGES)}")
    loaded: dict[str, Any] = yaml.safe_load((TEXTS / f"{language}.yml").read_text(encoding="utf-8"))
    return loaded


class Words:
    """The texts of one language. Raises ConfigurationError for a language without texts."""

    def __init__(self, language: str):
        self.language = language
        self._texts = _load(language)
        self._formats = self._texts["formats"]

    def get(self, key: str) -> Any:
        """What stands at a dotted key. Raises KeyError: a page never asks for a text that does not exist."""
        found: Any = self._texts
        for part in key.split("."):
            found = found[part]
        return found

    def __call__(self, key: str, **values: object) -> str:
        text = str(self.get(key))
        return text.format(**values) if values else text

    def word(self, section: str, code: str | None) -> str:
        """The word for a code of the published file; the code itself where the texts do not know it."""
        return GAP if code is None else str(self._texts[section].get(code, code.replace("_", " ")))

    def name(self, kind: str, code: str, published: str) -> str:
        """The name that the published file gives, unless the texts have one of their own for the id."""
        return str(self._texts["names"][kind].get(code, published))

    def number(self, value: float | None, digits: int = 1) -> str:
        """A number with so many digits after the point; a dash for what is missing."""
        if value is None:
            return GAP
        text = f"{value:,.{digits}f}"
        if float(text.replace(",", "")) == 0:
            text = text.lstrip("-")
        marks = {",": self._formats["thousands"], ".": self._formats["decimal"], "-": MINUS}
        return "".join(marks.get(sign, sign) for sign in text)

    def plain(self, value: float | None) -> str:
        """A number with as many digits as it has, for what others have stated."""
        if value is None:
            return GAP
        _, _, digits = f"{Decimal(repr(value)):f}".rstrip("0").partition(".")
        return self.number(value, len(digits))

    def signed(self, value: float | None, digits: int = 1) -> str:
        """As ``number``, with a plus where it is positive."""
        text = self.number(value, digits)
        return f"+{text}" if value is not None and value > 0 and any(sign in "123456789" for sign in text) else text

    def figure(self, value: float | None, unit: str | None) -> str:
        """A figure of an indicator, in its unit's usual precision, without the unit."""
        return self.number(value, digits_of(value, unit))

    def with_unit(self, value: float | None, unit: str) -> str:
        """A figure and its unit, for running text."""
        return GAP if value is None else f"{self.figure(value, unit)} {self.word('units', unit)}"

    def change(self, value: float | None, unit: str | None, transform: str | None) -> str:
        """A change a year: in the unit, or in per cent where the scale of the score is logarithmic.

        ``value`` is a difference of natural logarithms then.
        """
        if transform == "log":
            return GAP if value is None else f"{self.signed(100 * math.expm1(value))} %"
        return self.signed(value, digits_of(value, unit, finer=1))

    def day(self, value: date | None) -> str:
        if value is None:
            return GAP
        month = self._texts["months"][value.month - 1]
        return str(self._formats["date"]).format(day=value.day, month=month, year=value.year)

    def year(self, value: int | None) -> str:
        return GAP if value is None else str(value)


def digits_of(value: float | None, unit: str | None, finer: int = 0) -> int:
    """Digits after the point with which a figure of this unit is written; more where it would read as zero."""
    size = abs(value or 0)
    usual = _DIGITS.get(unit or "")
    usual = (0 if size >= 1000 or size == int(size) else 1 if size >= 100 else 2) if usual is None else usual + finer
    return min(12, -math.floor(math.log10(size))) if 0 < size < 0.5 * 10**-usual else usual
