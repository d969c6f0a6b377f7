"""Answers in several pages: whether the pages form one whole answer.

A page that comes twice, pages that overlap and a server that ignores the number of the page all give the announced
number of rows, but not of different rows. How a page is requested and read belongs in the adapter.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from sources.parsing.responses import UnusableResponse

SMALLEST_PAGE = 100
"""Fewest rows of a full page where the provider does not state its size."""


def keys_of(rows: Sequence[Mapping[str, Any]], values: Collection[str]) -> pl.Series:
    """Return a key per row: all its fields, except those that ``values`` names, with what they contain.

    Args:
        rows: Rows of a page, as parsed from JSON.
        values: Fields that say something about a row but do not identify it, such as its value or a footnote.
    """
    keys = [json.dumps({name: row[name] for name in sorted(row) if name not in values}) for row in rows]
    return pl.Series(keys, dtype=pl.String())


def require_one_answer(pages: Sequence[pl.Series], announced: int) -> None:
    """Raise UnusableResponse if pages do not form one answer.

    Args:
        pages: For each page the keys of its rows (text), in the order of the pages.
        announced: Number of rows on all pages, as the provider states it.

    Raises:
        UnusableResponse: Another number of rows than the announced one came, or a row is on two pages. A row twice on
            one page is not refused here: equal rows are harmless, and unequal ones are rejected as duplicates.
    """
    came = sum(page.len() for page in pages)
    if came != announced:
        raise UnusableResponse(f"{came} rows came instead of {announced}")
    if len(pages) < 2:
        return
    if pl.concat(page.hash() for page in pages).n_unique() == announced:  # different numbers are of different rows
        return
    rows = pl.concat(
        pl.DataFrame({"key": page, "page": [number] * page.len()}, schema={"key": pl.String, "page": pl.Int32})
        for number, page in enumerate(pages, start=1)
    )
    repeated = (
        rows.group_by("key")
        .agg(pl.col("page").min().alias("first"), pl.col("page").max().alias("last"))
        .filter(pl.col("first") < pl.col("last"))
    )
    if repeated.height:
        first, last = repeated.sort("last", "first").select("first", "last").row(0)
        distinct = rows["key"].n_unique()
        raise UnusableResponse(
            f"page {last} repeats rows of page {first}: {distinct} different rows came instead of {announced}"
        )


def may_continue(pages: Sequence[pl.Series], page_size: int | None = None) -> bool:
    """Return whether a further page is possible after the announced ones: the last one is as full as a page can be.

    A provider that announces the rows of one page instead of all of them is then found by one more request.

    Args:
        pages: The keys of each page.
        page_size: Most rows of a page, None if it is not known: then the last page is compared with the first.
    """
    full = max(pages[0].len(), SMALLEST_PAGE) if page_size is None else page_size
    return 0 < full <= pages[-1].len()


def require_no_further_rows(pages: Sequence[pl.Series], further: pl.Series) -> None:
    """Raise UnusableResponse if a page after the announced ones has rows that none of them has.

    A server that ignores the number of the page repeats rows; these are no further ones.
    """
    others = further.filter(~further.is_in(pl.concat(pages).implode())).n_unique() if further.len() else 0
    if others:
        announced = sum(page.len() for page in pages)
        raise UnusableResponse(f"more than the announced {announced} rows exist: the next page has {others} others")


def require_different(pages: Mapping[str, pl.DataFrame], about: str) -> None:
    """Raise UnusableResponse if the pages of two areas have the same rows: a page was then sent for another one.

    Args:
        pages: Area -> the rows of its page, without its code. Areas without rows are not compared.
        about: What the pages have, for the message.
    """
    seen: dict[str, str] = {}
    for area, rows in pages.items():
        content = rows.write_json()
        if rows.height and (other := seen.setdefault(content, area)) != area:
            raise UnusableResponse(f"the pages of {other} and {area} have the same {about}: a page came twice")
