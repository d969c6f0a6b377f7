"""Whether the live services still are what the adapters were written for: one small question each.

Belongs here: what is asked, and what an answer must be. Does not belong here: whether something new was published
(``releases``), fetching figures (``providers``); what no small request can tell stands in LIVE_CHECKS.md.

An answer is read by the adapter's own parser, so that what it refuses here it would refuse in a refresh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum

from sources.catalogue import Catalogue, Provider
from sources.errors import ConfigurationError
from sources.http import FailureKind, Http, Reply
from sources.observation import utc_now
from sources.provider import Outcome
from sources.providers import (
    data360,
    data360_files,
    figures,
    findex,
    gtmi,
    itu_datahub,
    owid,
    qog,
    un_egov,
    un_sdg,
    unesco_uis,
    wipo_gii,
    world_bank,
)
from sources.providers.figures import CSV_TYPES, JSON_TYPES
from sources.providers.workbook import XLSX_TYPES

INTERNET = "IT.NET.USER.ZS"
GCI = "ITU_GCI_GCI_OVRL_SCRE"
CHART = "share-of-individuals-using-the-internet"
BEGINNING = {"Range": "bytes=0-65535", "Accept-Encoding": "identity"}
"""Of a large file its first 64 KiB do: the head of a table, or what tells a workbook."""
BLOCKED_STATUS = {401, 403, 429}
NOT_THERE = {FailureKind.UNREACHABLE, FailureKind.TIMEOUT, FailureKind.DEADLINE, FailureKind.BROKEN, FailureKind.TLS}


class Verdict(StrEnum):
    OK = "ok"
    DIFFERS = "differs"
    """It answers, and not as the adapter expects."""
    BLOCKED = "blocked"
    """It says no to programs."""
    UNREACHABLE = "unreachable"


class Differs(Exception):
    """What an answer has that it should not have, or lacks."""


@dataclass(frozen=True)
class Question:
    """What is asked of a provider. ``look`` says in a few words what came; it raises Differs, or what parsers raise."""

    provider: str
    about: str
    path: str
    look: Callable[[Reply], str]
    params: Mapping[str, str | int] = field(default_factory=dict)
    accept: tuple[str, ...] = JSON_TYPES
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What came of a question."""

    provider: str
    question: str
    url: str
    verdict: Verdict
    told: str


def questions(year: int) -> list[Question]:
    """One question or two a provider. ``year`` is the present one; of yearly files that of the year before is asked."""
    world_bank_query: dict[str, str | int] = {"format": "json", "per_page": 100, "date": f"{year - 6}:{year}"}
    last = year - 1
    return [
        Question(
            "world_bank",
            "a series of two countries",
            f"country/UZB;KAZ/indicator/{INTERNET}",
            _world_bank_series,
            world_bank_query | {"source": 2},
        ),
        Question("world_bank", "when the WDI changed", "sources/2", _world_bank_release, {"format": "json"}),
        Question(
            "world_bank",
            "a code that does not exist",
            "country/UZB/indicator/NO.SUCH.CODE",
            _world_bank_unknown,
            world_bank_query,
        ),
        Question(
            "data360",
            "the indicators of a database",
            "data360/indicators",
            lambda reply: _has(data360.parse_indicators(reply.content), GCI),
            {"datasetId": "ITU_GCI"},
        ),
        Question(
            "data360",
            "one series of one country",
            "data360/data",
            lambda reply: f"{data360.parse(reply.content).total} rows",
            {"DATABASE_ID": "ITU_GCI", "INDICATOR": GCI, "REF_AREA": "KAZ", "skip": 0},
        ),
        Question(
            "data360_files",
            "one series",
            f"ITU_GCI/{GCI}.csv",
            lambda reply: f"{data360_files.parse(reply.content).height} rows",
            accept=CSV_TYPES,
        ),
        Question(
            "un_sdg",
            "a series of one country",
            "Series/Data",
            _sdg_series,
            {"seriesCode": "IT_USE_ii99", "areaCode": 398, "pageSize": 100, "page": 1},
        ),
        Question("unesco_uis", "the release", "versions/default", lambda reply: unesco_uis.release_of(reply.content)),
        Question(
            "unesco_uis",
            "a series of one country",
            "data/indicators",
            lambda reply: f"{unesco_uis.parse(reply.content).rows.height} rows",
            {"indicator": "GER.5T8", "geoUnit": "KAZ", "start": year - 6, "end": year},
        ),
        Question(
            "wipo_gii",
            f"the ranks of {last}",
            f"{wipo_gii.SITE}/economy_id_{last}.csv",
            lambda reply: f"{wipo_gii.parse_ranks(reply.content).height} ranks",
            accept=CSV_TYPES,
        ),
        Question(
            "un_egov",
            "links to the country pages",
            un_egov.DATA_CENTRE,
            lambda reply: f"{un_egov.parse_centre(reply.content).height} country pages",
            accept=un_egov.HTML_TYPES,
        ),
        Question(
            "qog",
            f"the head of January {year}'s table",
            f"qog_std_ts_jan{year % 100:02}.csv",
            lambda reply: _heads(reply, (*qog.WHO, "egov_egov")),
            accept=CSV_TYPES,
            headers=BEGINNING,
        ),
        Question(
            "itu_prices",
            f"whether the workbook to {last} is there",
            f"ITU_ICTPriceBaskets_2008-{last}.xlsx",
            _is_workbook,
            accept=XLSX_TYPES,
            headers=BEGINNING,
        ),
        Question(
            "gtmi",
            "whether the newest known workbook is there",
            next(iter(gtmi.RELEASES.values())),
            _is_workbook,
            accept=XLSX_TYPES,
            headers=BEGINNING,
        ),
        Question(
            "findex",
            "the head of the file",
            next(iter(findex.FILES.values())),
            lambda reply: _heads(reply, (*findex.WHO, "account_t_d", "g20_any")),
            accept=CSV_TYPES,
            headers=BEGINNING,
        ),
        Question(
            "owid",
            "a chart's columns",
            f"{CHART}.metadata.json",
            lambda reply: _has(set(owid.parse_metadata(reply.content)), "it_net_user_zs"),
        ),
        Question(
            "itu_datahub",
            "whether it is open to programs again",
            itu_datahub.COUNTRIES[0],
            lambda reply: f"{len(itu_datahub.parse_countries(reply.content))} countries",
        ),
    ]


def check(
    catalogue: Catalogue,
    http: Http,
    providers: Sequence[str] = (),
    progress: Callable[[str], None] = lambda provider: None,
) -> list[Finding]:
    """Ask the providers, all where none is named, side by side. Raises ConfigurationError where one has no question."""
    asked = [one for one in questions(utc_now().year) if not providers or one.provider in providers]
    if unknown := sorted(set(providers) - {one.provider for one in asked}):
        known = ", ".join(dict.fromkeys(one.provider for one in questions(utc_now().year)))
        raise ConfigurationError(f"there is no live check of {', '.join(unknown)}; there are {known}")

    def ask(question: Question) -> Finding:
        progress(f"asking {question.provider}")
        return _ask(question, catalogue.providers[question.provider], http)

    with ThreadPoolExecutor(len(asked), thread_name_prefix="check") as pool:
        return list(pool.map(ask, asked))


def _ask(question: Question, provider: Provider, http: Http) -> Finding:
    reply = http.get(
        f"{str(provider.base_url).rstrip('/')}/{question.path}",
        question.params,
        accept=question.accept,
        connect_timeout_s=provider.connect_timeout_s,
        read_timeout_s=provider.read_timeout_s,
        provider=provider.id,
        headers=question.headers,
    )
    verdict, told = _judge(question, reply)
    return Finding(provider.id, question.about, reply.url, verdict, told)


def _judge(question: Question, reply: Reply) -> tuple[Verdict, str]:
    failure = reply.failure
    if failure and failure.kind in NOT_THERE:
        return Verdict.UNREACHABLE, failure.message
    if failure and (failure.kind is FailureKind.CHALLENGE or reply.status in BLOCKED_STATUS):
        return Verdict.BLOCKED, failure.message
    if failure and reply.status >= 500:
        return Verdict.UNREACHABLE, failure.message
    if failure and question.look is not _world_bank_unknown:
        return Verdict.DIFFERS, failure.message
    try:
        return Verdict.OK, question.look(reply)
    except (Differs, figures.Refusal, world_bank.Refusal) as fault:
        return Verdict.DIFFERS, str(fault)


def _has(names: set[str], name: str) -> str:
    if name not in names:
        raise Differs(f"{name} is not among the {len(names)} names")
    return f"{len(names)} names, {name} among them"


def _heads(reply: Reply, names: Sequence[str]) -> str:
    """The first line of a table, which must have these columns."""
    line = reply.content.partition(b"\n")[0].decode("utf-8-sig", errors="replace")
    columns = [name.strip().strip('"') for name in line.split(",")]
    if missing := [name for name in names if name not in columns]:
        raise Differs(f"the columns {', '.join(missing)} are missing")
    return f"{len(columns)} columns"


def _is_workbook(reply: Reply) -> str:
    if not reply.content.startswith(b"PK"):
        raise Differs("it does not begin as a workbook does")
    return f"a workbook, last changed {reply.headers.get('Last-Modified', 'at an unknown time')}"


def _world_bank_series(reply: Reply) -> str:
    page = world_bank.parse(reply.content)
    codes, areas = set(page.rows["indicator"]), set(page.rows["countryiso3code"])
    if (codes, areas, page.source) != ({INTERNET}, {"UZB", "KAZ"}, "2"):
        raise Differs(f"indicators {sorted(codes)}, countries {sorted(map(str, areas))}, source {page.source}")
    if page.total != page.rows.height or page.last_updated is None:
        raise Differs(f"{page.rows.height} rows where {page.total} are announced, last updated {page.last_updated}")
    return f"{page.total} rows, last updated {page.last_updated}"


def _world_bank_release(reply: Reply) -> str:
    if not (found := world_bank.LAST_UPDATED.search(reply.content)):
        raise Differs("no lastupdated: every refresh will read everything anew")
    return f"last updated {found[1].decode()}"


def _world_bank_unknown(reply: Reply) -> str:
    try:
        page = world_bank.parse(reply.content)
    except world_bank.Refusal as refusal:
        if refusal.outcome is Outcome.UNKNOWN_ID:
            return refusal.reason
        raise
    raise Differs(f"a code that does not exist gives {page.total} rows: it would be taken for a series without data")


def _sdg_series(reply: Reply) -> str:
    page = un_sdg.parse(reply.content)
    if set(page.rows["series"]) != {"IT_USE_ii99"}:
        raise Differs(f"the series {sorted(set(page.rows['series']))} came")
    units = f"{un_sdg.ATTRIBUTE}Units"
    if units not in page.rows.columns or "PERCENT" not in set(page.rows[units]):
        raise Differs("no row has Units PERCENT")
    return f"{page.total} rows"
