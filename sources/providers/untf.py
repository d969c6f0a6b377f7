"""United Nations Global Survey on Digital and Sustainable Trade Facilitation: one page per economy, with every survey.

``code`` of a request is ``TOTAL`` or a group of measures (``GROUPS``). The members' pages are read; a member that took
part in no survey has a page without scores. A survey whose printed total does not follow from its groups
(``total_of``) is rejected, because one of its figures must be wrong. Tables that an operator copies from these pages
belong in ``local_file``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import Inspection, Verdict, failed, missing
from sources.observation import Areas
from sources.parsing.observations import Origin, build_answers, build_failed_answers, parse_observations
from sources.parsing.pages import require_different
from sources.parsing.responses import UnusableResponse, get, in_parallel, raw_body, require_content
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.inspecting import unreadable
from sources.smoke_check import SmokeCheck

PUBLIC_BASE = "https://www.untfsurvey.org"
PAGE = "economy"
HTML_TYPES = ("text/html",)
KNOWN = "KGZ"
"""An economy that took part in every survey."""

TOTAL = "trade_facilitation"
GROUPS = {
    "transparency": ("Transparency", 5),
    "formalities": ("Formalities", 8),
    "institutional_cooperation": ("Institutional Arrangement and Cooperation", 3),
    "paperless_trade": ("Paperless Trade", 9),
    "cross_border_paperless_trade": ("Cross-Border Paperless Trade", 6),
}
"""Group of measures -> its label on the pages, and its number of measures."""
CODES = (TOTAL, *GROUPS)
ROUNDING = 0.011
"""Largest distance of a printed total from the one computed from printed groups: both have two decimals."""

_HEADING = "Trade Facilitation and Paperless Trade in"
_SCORE = "rade facilitation score of"
_NUMBER = r"\s*([^%;]{0,40})%"
_SURVEY = re.compile(
    rf"(\S{{0,20}})\s?[Tt]{_SCORE}{_NUMBER}\s*" + r";\s*".join(rf"{label}:{_NUMBER}" for label, _ in GROUPS.values())
)


def total_of(groups: Mapping[str, float]) -> float:
    """Return the total score of a survey: the mean of the groups, weighted by their numbers of measures.

    ``(5 T + 8 F + 3 I + 9 P + 6 C) / 31``. The site does not state the formula; it gives every total that is printed
    there with its groups.

    Args:
        groups: Score of each of ``GROUPS``, in percent.
    """
    weights = {name: number for name, (_, number) in GROUPS.items()}
    return sum(weights[name] * groups[name] for name in GROUPS) / sum(weights.values())


def parse_page(body: bytes, iso3: str) -> pl.DataFrame:
    """Return the surveys of an economy: ``iso3``, ``year``, a column per code and ``fault``, all text.

    Raises:
        UnusableResponse: If the page is of another kind or incomplete, or a score on it cannot be read.
    """
    markup = body.decode("utf-8-sig", errors="replace")
    if not markup.strip():
        raise UnusableResponse(f"the page of {iso3} is empty")
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", markup)))
    if _HEADING not in text:
        raise UnusableResponse(f"there is none of the survey's headings on the page of {iso3}")
    if "</html>" not in markup.lower():
        raise UnusableResponse(f"the page of {iso3} is incomplete")
    found = _SURVEY.findall(text)
    if len(found) != text.count(_SCORE):
        raise UnusableResponse(f"a score on the page of {iso3} cannot be read")
    rows = [dict(zip(("year", *CODES), (part.strip() for part in survey), strict=True)) for survey in found]
    return pl.DataFrame(
        [{"iso3": iso3, **row, "fault": _fault(row)} for row in rows],
        schema=dict.fromkeys(("iso3", "year", *CODES, "fault"), pl.String),
    )


def _fault(row: Mapping[str, str]) -> str | None:
    """Return why a survey is rejected, None if its total follows from its groups or a figure is no number."""
    try:
        total, computed = float(row[TOTAL]), total_of({name: float(row[name]) for name in GROUPS})
    except ValueError:
        return None
    if abs(total - computed) <= ROUNDING:
        return None
    return f"the total {row[TOTAL]} does not follow from its groups, which give {computed:.2f}"


def observations_of(surveys: pl.DataFrame, code: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """Return the observations of one code, see ``parse_observations``. Raise UnusableResponse for an unknown code."""
    if code not in CODES:
        raise UnusableResponse(f"the pages have no {code}, only {', '.join(CODES)}", Outcome.UNKNOWN_ID)
    return parse_observations(surveys, areas, window, period="year", value=code, fault="fault", raw_sha256=raw_sha256)


def _page(iso3: str, provider: Provider, http: Http) -> Reply:
    return get(http, provider, PAGE, {"id": iso3}, accept=HTML_TYPES)


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every request from the members' pages; each page is requested once.

    One failed page makes all answers unavailable. See ``sources.provider.Adapter``.
    """
    origin, countries = Origin(f"{PUBLIC_BASE}/{PAGE}", "country pages"), sorted(areas.members)
    asked = in_parallel(provider, lambda iso3: _page(iso3, provider, http), countries)
    replies = list(asked.values())
    try:
        pages = [
            (parse_page(require_content(reply), iso3), raw_body(reply, provider).sha256)
            for iso3, reply in asked.items()
        ]
        if not any(surveys.height for surveys, _ in pages):
            raise UnusableResponse("there is none of the survey's scores on any page")
        found = zip(countries, (surveys.drop("iso3") for surveys, _ in pages), strict=True)
        require_different(dict(found), "scores")
    except UnusableResponse as error:
        return build_failed_answers(requests, error, lambda _: origin, replies, provider)

    def read(request: SeriesRequest) -> pl.DataFrame:
        return pl.concat(observations_of(surveys, request.code, sha256, areas, window) for surveys, sha256 in pages)

    return build_answers(requests, read, lambda _: origin, replies, provider, window)


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every code by the page of one member. See ``sources.inspection.Inspects``."""
    reply = _page(KNOWN, provider, http)
    if fault := failed(reply):
        return dict.fromkeys(requests, fault)

    def inspect_code(request: SeriesRequest) -> Inspection:
        if request.code not in CODES:
            return missing(request.code, "the country pages", CODES)
        try:
            surveys = parse_page(reply.content, KNOWN)
        except UnusableResponse as error:
            return unreadable(error, reply.url)
        valid = observations_of(surveys, request.code, "", areas, window).filter(pl.col("reason").is_null())
        if valid.is_empty():
            return Inspection(Verdict.NO_ROWS, f"there is no figure of {KNOWN}", url=reply.url)
        return Inspection(Verdict.OK, newest=int(valid["year"].max()), url=reply.url)  # type: ignore[arg-type]

    return {request: inspect_code(request) for request in requests}


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    return [
        SmokeCheck(
            "the scores on a country page",
            PAGE,
            lambda reply: f"{_surveys(reply)} surveys",
            params={"id": KNOWN},
            accept=HTML_TYPES,
        )
    ]


def _surveys(reply: Reply) -> int:
    """Return the number of surveys on a page. Raise UnusableResponse if there is none."""
    if not (number := parse_page(reply.content, KNOWN).height):
        raise UnusableResponse(f"the page of {KNOWN} has no score")
    return number
