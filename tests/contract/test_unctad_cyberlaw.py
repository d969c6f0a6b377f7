"""The table of the Cyberlaw Tracker, over HTTP on loopback, and the archived counts against the publisher's file."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from pipelines.workspace import load_areas
from sources.bundled_archive import load_archive
from sources.catalogue import load_catalogue
from sources.provider import Answer, Outcome, SeriesRequest
from sources.providers.unctad_cyberlaw import AREAS_OF_LAW, FILES, SEPARATOR, fetch, observations_of, parse
from tests.conftest import ROOT
from tests.contract.loopback import PatientHttp
from tests.contract.visiting import AREAS, WINDOW, only, provider, reasons, serve, values

COUNT = SeriesRequest(SEPARATOR.join(AREAS_OF_LAW))
HEAD = "code,country," + ",".join(AREAS_OF_LAW)
Ask = Callable[..., Answer]
IN_FORCE, DRAFT, NONE, UNKNOWN = "Legislation", "Draft Legislation", "No Legislation", "No Data"


@pytest.fixture
def ask(httpserver: HTTPServer) -> Ask:
    def run(*lines: str, head: str = HEAD) -> Answer:
        serve(httpserver, {f"/{FILES[2026]}": "\n".join([head, *lines, ""]).encode()}, content_type="text/csv")
        found = provider("unctad_cyberlaw", httpserver.url_for(""))
        return only(fetch([COUNT], found, AREAS, WINDOW, PatientHttp(tries=1)))

    return run


def test_a_law_counts_one_a_draft_half_and_no_law_nothing(ask: Ask) -> None:
    answer = ask(
        f"860,Uzbekistan,{IN_FORCE},{IN_FORCE},{IN_FORCE},{IN_FORCE}",
        f"004,Afghanistan,{IN_FORCE},{NONE},{DRAFT},{IN_FORCE}",
        f"417,Kyrgyzstan,{NONE},{NONE},{NONE},{NONE}",
    )
    assert values(answer) == [("AFG", 2026, 2.5), ("KGZ", 2026, 0.0), ("UZB", 2026, 4.0)]
    assert answer.release == "Cyberlaw Tracker 2026"


def test_a_country_without_information_on_one_area_has_no_count_but_a_reason(ask: Ask) -> None:
    answer = ask(
        f"398,Kazakhstan,{IN_FORCE},{UNKNOWN},{IN_FORCE},{IN_FORCE}",
        f"860,Uzbekistan,{IN_FORCE},,{IN_FORCE},{IN_FORCE}",
        f"417,Kyrgyzstan,{IN_FORCE},Repealed,{IN_FORCE},{IN_FORCE}",
        f"4,Afghanistan,{IN_FORCE},{IN_FORCE},{IN_FORCE},{IN_FORCE}",
    )
    assert values(answer) == [("AFG", 2026, 4.0)]
    assert sorted(reasons(answer)) == [
        "no information on Consumer Protection",
        "no information on Consumer Protection",
        "unknown status Repealed of Consumer Protection",
    ]


def test_a_table_without_one_of_the_areas_gives_no_count(ask: Ask) -> None:
    answer = ask(f"860,Uzbekistan,{IN_FORCE},{IN_FORCE},{IN_FORCE}", head=HEAD.removesuffix(",Cybercrime"))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert "the columns Cybercrime are missing" in (answer.reason or "")


def test_the_archive_has_the_counts_of_the_publishers_file(reference: Path) -> None:
    """Count the statuses with the csv module and with the adapter: both give the archived figures."""
    file = reference / "unctad_cyberlaw" / "data.csv"
    areas = load_areas(ROOT / "dbt_project")
    counted: dict[str, float] = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            stated = [row[area] for area in AREAS_OF_LAW]
            if UNKNOWN not in stated:
                counted[areas.m49_to_iso3[int(row["code"])]] = stated.count(IN_FORCE) + stated.count(DRAFT) / 2
    indicator = load_catalogue().indicators["cyber_laws_count"]
    (vintage,) = load_archive().vintages(indicator)
    archived = dict(vintage.records.select("iso3", "value").rows())
    read = observations_of(parse(file.read_bytes(), 2026), COUNT.code, 2026, "0" * 64, areas, WINDOW)
    adapted = {iso3: value for iso3, value, reason in read.select("iso3", "value", "reason").rows() if reason is None}
    assert archived == counted == adapted
    assert indicator.chain[0].code == COUNT.code
