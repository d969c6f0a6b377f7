"""Texts and figures in a language: lookups in ``*.yml`` and the formats of numbers, dates, units and sentences.

Belongs here: finding a text, inserting values, formats of figures. Does not belong here: the texts themselves, and the
choice of a text. dbt, the command line and the pages all format through this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from pipelines.formatting import GAP
from sources.errors import ConfigurationError
from sources.yaml_files import read_mapping

TEXTS = Path(__file__).parent
LANGUAGES = tuple(sorted(path.stem for path in TEXTS.glob("*.yml")))

ENGLISH = "en"

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
"""Unit -> digits after the decimal point. For other units they depend on the size of the figure: see ``digits_of``."""


_NAMED = {
    "economies": ("iso3", "name"),
    "groups": ("group_id", "group_title"),
    "indicators": ("indicator_id", "title"),
    "pillars": ("pillar_id", "title"),
    "subthemes": ("subtheme_id", "title"),
}
"""Section of ``names`` -> the columns with the code and the English name in rows of the report."""


@cache
def _load(language: str) -> dict[str, Any]:
    if language not in LANGUAGES:
        raise ConfigurationError(f"{language!r} is no language of the pages; there are {', '.join(LANGUAGES)}")
    return read_mapping(TEXTS / f"{language}.yml")


class Words:
    """The texts of one language and its formats of figures.

    Raises:
        ConfigurationError: There are no texts in this language, or their file is malformed; it names file and line.
    """

    def __init__(self, language: str):
        self.language = language
        self._without_name: set[str] = set()
        self._texts = _load(language)
        self._formats = self._texts["formats"]

    def get(self, key: str) -> Any:
        """Return the value at a dotted key. Raises KeyError where the texts lack it."""
        found: Any = self._texts
        for part in key.split("."):
            found = found[part]
        return found

    def __call__(self, key: str, **values: object) -> str:
        """Return the text at a dotted key with values inserted: ``words("members.scored", scored=9, total=11)``."""
        text = str(self.get(key))
        return text.format(**values) if values else text

    def word(self, section: str, code: str | None) -> str:
        """Return the word for a published code; the code itself if the section lacks it, a dash for None."""
        return GAP if code is None else str(self._texts[section].get(code, code.replace("_", " ")))

    def sentence(self, code: str, operands: Mapping[str, Any] | None = None) -> str:
        """Return the text ``sentences.<code>`` with the operands that a model published for it.

        Args:
            code: Key of the section ``sentences``.
            operands: Value by name, as read from JSON. A value is text, a number, a part ``{"code": ...,
                "operands": ...}``, which is a sentence too, or a list of texts and parts. ``None`` in a list is
                left out.

        In a text, ``{name}`` writes a value as it is and ``None`` as a dash. A format after the colon is

        * for a list, the separator: ``{parts:; }``; ``", "`` without a format;
        * for a code, the section with its word: ``{unit:units}``;
        * for a decimal number, ``number`` (at most two decimals, none from 1,000 on), ``plain`` (all its digits), or
          one of Python's (``.4g``), with the language's decimal and thousands signs.

        Example:
            >>> Words("en").sentence("interval", {"low": 71.25, "high": 80.0})
            '71.25 to 80'

        Raises:
            ConfigurationError: The texts have no such sentence, or it needs an operand that is missing.
        """
        template = self._texts["sentences"].get(code)
        if template is None:
            raise ConfigurationError(f"{TEXTS / self.language}.yml: sentences has no {code!r}")
        try:
            return _Filler(self).vformat(template, (), operands or {})
        except KeyError as error:
            raise ConfigurationError(
                f"{TEXTS / self.language}.yml: sentences.{code} needs the operand {error}"
            ) from None

    def filled(self, value: Any, spec: str) -> str:
        """Return one operand of ``sentence`` as text; ``spec`` is the format that follows its name."""
        if isinstance(value, Mapping):
            return self.sentence(value["code"], value.get("operands"))
        if isinstance(value, list):
            return (spec or ", ").join(self.filled(one, "") for one in value if one is not None)
        if isinstance(value, float) and spec:
            return self._decimal(value, spec)
        return self.word(spec, value) if spec else GAP if value is None else str(value)

    def _decimal(self, value: float, spec: str) -> str:
        if spec == "plain":
            return self.plain(value)
        if spec != "number":
            return self._marked(format(value, spec))
        return self._marked(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}".rstrip("0").rstrip("."))

    def name(self, kind: str, code: str, published: str) -> str:
        """Return the name of a code in the texts, or the published English name if the texts lack it.

        Args:
            kind: A section of ``names`` in the texts, such as ``indicators``.
            code: The id of the entry.
            published: Its name in the published file.
        """
        name = self._texts["names"][kind].get(code)
        if name is None:
            self._without_name.add(f"names.{kind}.{code}")
        return published if name is None else str(name)

    def name_of(self, kind: str, row: Mapping[str, Any]) -> str:
        """Return the name of what a published row is about: ``words.name_of("economies", row)``, see ``name``."""
        code, published = _NAMED[kind]
        return self.name(kind, row[code], row[published])

    def warn_of_english(self, note: Callable[[str], None]) -> None:
        """Print one line with the names that were shown in English because the texts of this language lack them."""
        if self._without_name and self.language != ENGLISH:
            missing = ", ".join(sorted(self._without_name))
            note(f"warning: shown in English, because {self.language}.yml has no entry for: {missing}")

    def number(self, value: float | None, digits: int = 1) -> str:
        """Return a number with ``digits`` digits after the point; a dash for None."""
        if value is None:
            return GAP
        text = f"{value:,.{digits}f}"
        if float(text.replace(",", "")) == 0:
            text = text.lstrip("-")
        return self._marked(text).replace("-", MINUS)

    def _marked(self, text: str) -> str:
        """Return a number with the language's decimal and thousands signs."""
        marks = {",": self._formats["thousands"], ".": self._formats["decimal"]}
        return "".join(marks.get(sign, sign) for sign in text)

    def plain(self, value: float | None) -> str:
        """Return a number with all its digits, for figures that are quoted from documents."""
        if value is None:
            return GAP
        _, _, digits = f"{Decimal(repr(value)):f}".rstrip("0").partition(".")
        return self.number(value, len(digits))

    def signed(self, value: float | None, digits: int = 1) -> str:
        """Return a number as ``number`` does, with a plus sign if it is positive."""
        text = self.number(value, digits)
        return f"+{text}" if value is not None and value > 0 and any(sign in "123456789" for sign in text) else text

    def figure(self, value: float | None, unit: str | None) -> str:
        """Return an indicator's figure with the digits of its unit, without the unit."""
        return self.number(value, digits_of(value, unit))

    def with_unit(self, value: float | None, unit: str) -> str:
        """Return a figure and its unit, for running text."""
        return GAP if value is None else f"{self.figure(value, unit)} {self.word('units', unit)}"

    def change(self, value: float | None, unit: str | None, transform: str | None) -> str:
        """Return a change per year: in the unit, or in per cent where ``transform`` is ``log``.

        With ``log``, ``value`` is a difference of natural logarithms.
        """
        if transform == "log":
            return GAP if value is None else f"{self.signed(100 * math.expm1(value))} %"
        return self.signed(value, digits_of(value, unit, finer=1))

    def chance(self, value: float | None) -> str:
        """Return a probability in per cent; the published ones end at half a per cent from 0 and 100."""
        if value is None:
            return GAP
        if value < 0.01 or value > 0.99:
            return f"{'<' if value < 0.01 else '>'} {'1' if value < 0.01 else '99'} %"
        return f"{self.number(100 * value, 0)} %"

    def day(self, value: date | None) -> str:
        if value is None:
            return GAP
        month = self._texts["months"][value.month - 1]
        return str(self._formats["date"]).format(day=value.day, month=month, year=value.year)

    def year(self, value: int | None) -> str:
        return GAP if value is None else str(value)

    def year_of(self, cell: Mapping[str, Any]) -> str:
        """Return the year of the latest figure of a row of ``indicator_scores``, with the year of its measurement."""
        latest, measured = cell["latest_year"], cell["measured_year"]
        if measured is None or measured == latest:
            return self.year(latest)
        return self("jumps.year_measured", year=self.year(latest), measured=self.year(measured))


class _Filler(Formatter):
    """Inserts operands into a sentence, each formatted by ``Words.filled``."""

    def __init__(self, words: Words):
        self._words = words

    def format_field(self, value: Any, format_spec: str) -> str:
        return self._words.filled(value, format_spec)


def digits_of(value: float | None, unit: str | None, finer: int = 0) -> int:
    """Return the digits after the decimal point for a figure of this unit; more if it would be shown as zero.

    Args:
        value: The figure.
        unit: Its unit in the catalogue.
        finer: Additional digits, for changes per year.
    """
    size = abs(value or 0)
    usual = _DIGITS.get(unit or "")
    usual = (0 if size >= 1000 or size == int(size) else 1 if size >= 100 else 2) if usual is None else usual + finer
    return min(12, -math.floor(math.log10(size))) if 0 < size < 0.5 * 10**-usual else usual
