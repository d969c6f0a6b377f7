"""ITU DataHub: whether it is open to programs again. It provides no observations here.

Since August 2026 the interface answers 403, and the portal a challenge for browsers (202 without a body). ITU's series
come from other providers.
"""

from __future__ import annotations

from sources.http.client import Reply
from sources.parsing.responses import UnusableResponse
from sources.parsing.tables import parse_json, rows_to_table
from sources.smoke_check import SmokeCheck

COUNTRIES = ("v2/country/all", "v3/country/all")


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    return [SmokeCheck(f"whether {path} is open to programs again", path, _check_countries) for path in COUNTRIES]


def _check_countries(reply: Reply) -> str:
    countries = rows_to_table(parse_json(reply.content), ("CountryID", "IsoCode"))["IsoCode"].drop_nulls()
    if countries.is_empty():
        raise UnusableResponse("no country is in the list")
    return f"{countries.len()} countries"
