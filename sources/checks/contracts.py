"""Whether the live services still are what the adapters were written for: one small question each.

Belongs here: what is asked, and what an answer must be. Does not belong here: whether the catalogue's links still lead
to figures (``link_checks``), whether something new was published (``releases``), fetching figures (``providers``); what
no small request can tell stands in LIVE_CHECKS.md.

An answer is read by the adapter's own parser, so that what it refuses here it would refuse in a refresh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

import polars as pl

from sources.catalogue import Catalogue, Provider
from sources.errors import ConfigurationError
from sources.http.client import Http, Reply
from sources.inspection import SILENT
from sources.observation import utc_now
from sources.parsing import observations as figures
from sources.parsing.editions import ABSENT_STATUS
from sources.parsing.observations import CSV_TYPES, JSON_TYPES
from sources.parsing.workbook import XLSX_TYPES
from sources.provider import Outcome
from sources.providers import (
    data360,
    data360_files,
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
from sources.providers.inspecting import BEGINNING

INTERNET = "IT.NET.USER.ZS"
DATABASES = {
    "ITU_DH": "MOB_COV_4G",
    "ITU_GCI": "ITU_GCI_GCI_OVRL_SCRE",
    "UN_EGDI": "UN_EGDI_EGDI",
    "WB_GTMI": "WB_GTMI_GTEI",
    "WB_FINDEX": "WB_FINDEX_G20_ANY",
}
"""Database of Data360 -> an indicator that the catalogue asks it for."""
SDG_SERIES = ("IT_USE_ii99", "IT_MOB_5GNTWK", "IT_NET_BBND")
GCI = "ITU_GCI_GCI_OVRL_SCRE"
CHARTS = {
    "share-of-individuals-using-the-internet": "it_net_user_zs",
    "population-covered-by-mobile-network-by-network-capability": "_9_c_1__it_mob_4gntwk",
}
"""Chart of Our World in Data -> a column that the catalogue asks it for."""
LAST_EGDI = 2024
"""The survey that a copy of the e-government index must have: one copy was seen to end in 2020."""


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
    """What is asked of a provider. ``look`` says in a few words what came; it raises Differs, or what parsers raise.

    ``may_be_absent``: that there is nothing (yet) is as expected as that there is something.
    """

    provider: str
    about: str
    path: str
    look: Callable[[Reply], str]
    params: Mapping[str, str | int] = field(default_factory=dict)
    accept: tuple[str, ...] = JSON_TYPES
    headers: Mapping[str, str] = field(default_factory=dict)
    may_be_absent: bool = False


@dataclass(frozen=True)
class Finding:
    """What came of a question."""

    provider: str
    question: str
    url: str
    verdict: Verdict
    told: str


def questions(year: int) -> list[Question]:
    """What each provider is asked. ``year`` is the present one: yearly files of the year before have to be there."""
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
            "world_bank",
            "a country that does not exist",
            f"country/QQQ/indicator/{INTERNET}",
            _world_bank_unknown,
            world_bank_query,
        ),
        Question(
            "world_bank",
            "a series of Global Findex",
            "country/UZB;KAZ/indicator/g20.any",
            _findex_series,
            {"format": "json", "per_page": 100, "source": 28, "date": "2011:2024"},
        ),
        *(
            Question(
                "data360",
                f"the indicators of {database}",
                "data360/indicators",
                partial(_lists, name),
                {"datasetId": database},
            )
            for database, name in DATABASES.items()
        ),
        Question(
            "data360",
            f"whether the e-government index reaches {LAST_EGDI}",
            "data360/data",
            _egdi_is_recent,
            {
                "DATABASE_ID": "UN_EGDI",
                "INDICATOR": "UN_EGDI_EGDI",
                "REF_AREA": "KAZ",
                "timePeriodFrom": LAST_EGDI - 4,
                "timePeriodTo": year,
                "skip": 0,
            },
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
        *(
            Question(
                "un_sdg",
                f"{code} of one country",
                "Series/Data",
                partial(_sdg_series, code),
                {"seriesCode": code, "areaCode": 398, "pageSize": 100, "page": 1},
            )
            for code in SDG_SERIES
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
            "unesco_uis",
            "an indicator that does not exist",
            "data/indicators",
            _unesco_unknown,
            {"indicator": "NO.SUCH.CODE", "geoUnit": "KAZ", "start": year - 6, "end": year},
        ),
        Question(
            "wipo_gii",
            f"the ranks of {last}",
            f"{wipo_gii.SITE}/economy_id_{last}.csv",
            lambda reply: f"{wipo_gii.parse_ranks(reply.content).height} ranks",
            accept=CSV_TYPES,
        ),
        *(
            Question(
                "wipo_gii",
                f"the head of {file}_{last}",
                f"{wipo_gii.SITE}/{file}_{last}.csv",
                partial(_heads, names=tuple(names)),
                accept=CSV_TYPES,
                headers=BEGINNING,
            )
            for file, names in (("model_pageone", wipo_gii.PANEL), ("bc_results_gii", wipo_gii.RESULTS))
        ),
        Question(
            "wipo_gii",
            f"whether the edition of {year} is there",
            f"{wipo_gii.SITE}/model_pageone_{year}.csv",
            partial(_heads, names=tuple(wipo_gii.PANEL)),
            accept=CSV_TYPES,
            headers=BEGINNING,
            may_be_absent=True,
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
            "itu_prices",
            f"whether the workbook to {year} is there",
            f"ITU_ICTPriceBaskets_2008-{year}.xlsx",
            _is_workbook,
            accept=XLSX_TYPES,
            headers=BEGINNING,
            may_be_absent=True,
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
        *(
            Question("owid", f"the columns of {chart}", f"{chart}.metadata.json", partial(_charts, column))
            for chart, column in CHARTS.items()
        ),
        *(
            Question(
                "itu_datahub",
                f"whether {path} is open to programs again",
                path,
                lambda reply: f"{len(itu_datahub.parse_countries(reply.content))} countries",
            )
            for path in itu_datahub.COUNTRIES
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
        **provider.limits,
        headers=question.headers,
    )
    verdict, told = _judge(question, reply)
    return Finding(provider.id, question.about, reply.url, verdict, told)


def _judge(question: Question, reply: Reply) -> tuple[Verdict, str]:
    failure = reply.failure
    if failure and question.may_be_absent and reply.status in ABSENT_STATUS:
        return Verdict.OK, f"not there (HTTP {reply.status})"
    if failure and (failure.kind in SILENT or reply.status >= 500):
        return Verdict.UNREACHABLE, failure.message
    if failure and (reply.blocked):
        return Verdict.BLOCKED, failure.message
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


def _findex_series(reply: Reply) -> str:
    page = world_bank.parse(reply.content)
    values = page.rows["value"].cast(pl.Float64, strict=False).drop_nulls().to_list()
    if set(page.rows["indicator"]) != {"g20.any"} or page.source != "28" or not values:
        raise Differs(f"indicators {sorted(set(page.rows['indicator']))}, source {page.source}, {len(values)} figures")
    if max(values) <= 1:
        raise Differs(f"shares came, the highest {max(values)}, where percentages are expected")
    return f"{len(values)} figures"


def _lists(name: str, reply: Reply) -> str:
    return _has(data360.parse_indicators(reply.content), name)


def _charts(column: str, reply: Reply) -> str:
    return _has(set(owid.parse_metadata(reply.content)), column)


def _egdi_is_recent(reply: Reply) -> str:
    last = max(map(str, data360.parse(reply.content).rows["TIME_PERIOD"].drop_nulls()), default="no year")
    if not str(LAST_EGDI) <= last <= "9999":
        raise Differs(f"the copy ends in {last}: it stands in only where it is as recent as what is known")
    return f"up to {last}"


def _unesco_unknown(reply: Reply) -> str:
    found = unesco_uis.parse(reply.content)
    if not found.unknown:
        raise Differs("a code that does not exist gets no hint: it would be taken for a series without data")
    return f"said to be unknown: {', '.join(sorted(found.unknown))}"


def _sdg_series(code: str, reply: Reply) -> str:
    page = un_sdg.parse(reply.content)
    if set(page.rows["series"]) != {code}:
        raise Differs(f"the series {sorted(set(page.rows['series']))} came")
    units = f"{un_sdg.ATTRIBUTE}Units"
    said = sorted(set(page.rows[units].drop_nulls())) if units in page.rows.columns else []
    if code != "IT_NET_BBND" and "PERCENT" not in said:
        raise Differs(f"no row has Units PERCENT, but {', '.join(said) or 'none'}")
    return f"{page.total} rows in {', '.join(said) or 'no stated unit'}"
