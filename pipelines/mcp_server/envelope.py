"""The form of every answer: a table, the meaning of its codes, and whose figures it has.

Belongs here: vintage, sources and licences of an answer, texts without control characters. Does not belong here: the
queries of the tools (``tools``).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pydantic_core import to_json

from pipelines.published import OWN_CHOICE, fetch, imprint
from pipelines.texts.words import ENGLISH, Words
from sources.errors import CONTROLS
from warehouse.export.licences import TERMS

NOTICE = (
    "Scores, ranks, statuses and verdicts are results of this project. Figures are their providers', each under its"
    " licence: where the terms are not open, do not pass the figures on. A missing value is null, never 0."
)
LONGEST_CELL = 4_000
"""Characters of a text in an answer; a longer one is cut, and says so."""
LONGEST_ANSWER = 400_000
"""Characters of the rows of an answer, as JSON; further rows are left out, and the answer says so."""


def clean(text: str) -> str:
    """Return a text without control characters, and no longer than ``LONGEST_CELL``."""
    cleaned = CONTROLS.sub("?", text[: LONGEST_CELL + 1])
    return cleaned if len(text) <= LONGEST_CELL else f"{cleaned[:LONGEST_CELL]} … (cut)"


def plain(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return rows with the types of JSON; dates as ISO 8601, NaN and infinity as None, bytes in hexadecimal."""
    text = to_json(rows, inf_nan_mode="null", bytes_mode="hex", serialize_unknown=True, fallback=str)
    loaded: list[list[Any]] = json.loads(text)
    return [[_clean(value) for value in row] for row in loaded]


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {clean(str(key)): _clean(one) for key, one in value.items()}
    return value


def fitting(rows: Sequence[list[Any]]) -> list[list[Any]]:
    """Return the first rows that have no more than ``LONGEST_ANSWER`` characters together."""
    kept, size = [], 0
    for row in rows:
        size += len(json.dumps(row, ensure_ascii=False))
        if size > LONGEST_ANSWER:
            break
        kept.append(row)
    return kept


def answer(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    indicators: Iterable[str] | None = None,
    members: Iterable[str] | None = None,
    more: bool = False,
) -> dict[str, Any]:
    """Return an answer.

    Args:
        columns: Names of the columns.
        rows: Their values.
        indicators: Indicators whose figures are behind the answer; None for all.
        members: Economies whose figures are behind the answer; None for all.
        more: Whether rows were left out already.
    """
    whole = plain(rows)
    kept = fitting(whole)
    return {
        "columns": [clean(column) for column in columns],
        "rows": kept,
        "truncated": more or len(kept) < len(whole),
        "meanings": _meanings(columns, kept),
        "about": about(indicators, members),
    }


def about(indicators: Iterable[str] | None = None, members: Iterable[str] | None = None) -> dict[str, Any]:
    """Return vintage, sources and licences of figures.

    Args:
        indicators: Indicators of the figures; None for all.
        members: Economies of the figures; None for all.
    """
    ((as_of, published_at, vintage),) = fetch("select as_of, published_at, newest_vintage from publication")
    named = None if indicators is None else list(indicators)
    places = None if members is None else list(members)
    addresses = "list(distinct source_url order by source_url)" if named is not None else "[]"
    sources = fetch(
        f"select provider, licence, max(vintage_at), {addresses} from observations"
        " where ($named is null or list_contains($named, indicator_id))"
        " and ($places is null or list_contains($places, iso3)) group by all order by 1, 2",
        {"named": named, "places": places},
    )
    return {
        "as_of": f"{as_of}",
        "published_at": f"{published_at:%Y-%m-%dT%H:%M:%SZ}",
        "vintage": f"{vintage:%Y-%m-%dT%H:%M:%SZ}" if vintage else None,
        "publication": imprint(),
        "sources": [
            {
                "provider": provider,
                "licence": licence,
                "terms": _terms().get(licence, "unknown"),
                "vintage": f"{newest:%Y-%m-%dT%H:%M:%SZ}",
                "addresses": urls,
            }
            for provider, licence, newest, urls in sources
        ],
        "licence": NOTICE,
        "benchmarks": OWN_CHOICE,
    }


@cache
def _terms() -> dict[str, str]:
    with TERMS.open(encoding="utf-8", newline="") as handle:
        return {row["licence"]: row["terms"] for row in csv.DictReader(handle)}


def _meanings(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, str]:
    """Return the sentences of the codes in columns of statuses and reasons."""
    words = Words(ENGLISH)
    known = {**words.get("statuses"), **words.get("reasons")}
    places = [place for place, name in enumerate(columns) if name.endswith(("status", "reason"))]
    used = {row[place] for row in rows for place in places}
    return {code: str(known[code]) for code in sorted(used & known.keys())}
