"""United Nations Trade Facilitation Survey: one page per economy, with every survey on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from sources.catalogue import Link
from sources.providers.untf import GROUPS, total_of
from tests.contract.payloads import Body, Edit, Payload, Row

MEMBERS = ("AFG", "AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB")
CODE = "paperless_trade"
MAIN = "/economy?id=KAZ"


def scores(year: str, groups: Mapping[str, str], total: str) -> str:
    """Return the markup of one survey as the pages have it."""
    parts = "; ".join(f"{label}: {escape(groups[name])}%" for name, (label, _) in GROUPS.items())
    return (
        f"<h3><a>{escape(year)}</a>Trade facilitation score of {total}%</h3>\n<p>{parts}.</p>\n"
        "<h4>Formalities</h4><table><tr><td>Risk management</td><td>Fully implemented</td></tr></table>"
    )


def page(iso3: str, surveys: Sequence[str], extra: Mapping[str, str] | None = None) -> str:
    """Return the page of an economy. It has no scores if the economy took part in no survey."""
    more = "".join(f"<p>{name}: {value}</p>" for name, value in (extra or {}).items())
    body = "\n".join(surveys)
    return (
        f"<!DOCTYPE html><html><body><h1>Trade Facilitation and Paperless Trade in {escape(iso3)}</h1>\n"
        f"<p>Türkiye</p><p>Loading...</p>\n{body}\n{more}</body></html>"
    )


def _survey(row: Row) -> str:
    groups = dict.fromkeys(GROUPS, "50") | {CODE: row.value}
    try:
        total = f"{total_of({name: float(value) for name, value in groups.items()}):.2f}"
    except ValueError:
        total = "50"
    return scores(row.year, groups, total)


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    pages = {
        f"/economy?id={iso3}": page(iso3, [_survey(row) for row in rows if row.area == iso3], extra) for iso3 in MEMBERS
    }
    return {
        path: Body((edit(markup) if path == MAIN else markup).encode(), "text/html") for path, markup in pages.items()
    }


PAYLOAD = Payload(
    Link(provider="untf", code=CODE),
    build,
    MAIN,
    field="Transparency",
    code="Paperless Trade",
    years=(2023, 2025),
    countries=MEMBERS[1:],
)
