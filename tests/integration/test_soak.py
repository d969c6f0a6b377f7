"""Many ingestions in a row with honest revisions and random faults: what is landed is right, or was right before."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.integration.refreshing import BROADBAND, CODES, INTERNET, Bank, landed, refresh, workspace
from tests.templates import MEMBERS
from tests.world_bank_server import answer_world_bank
from warehouse.landing import Landing

Series = dict[tuple[str, int], float]
Fault = Callable[[Series, Series, random.Random], Series]


def times(factor: float) -> Fault:
    def fault(series: Series, other: Series, chance: random.Random) -> Series:
        member = chance.choice(MEMBERS)
        return {(iso3, year): value * factor if iso3 == member else value for (iso3, year), value in series.items()}

    return fault


def exchanged(series: Series, other: Series, chance: random.Random) -> Series:
    one, two = chance.sample(MEMBERS, 2)
    return {({one: two, two: one}.get(iso3, iso3), year): value for (iso3, year), value in series.items()}


def permuted(series: Series, other: Series, chance: random.Random) -> Series:
    codes = sorted({iso3 for iso3, _ in series})
    place = dict(zip(codes, chance.sample(codes, len(codes)), strict=True))
    return {(place[iso3], year): value for (iso3, year), value in series.items()}


def copied_year(series: Series, other: Series, chance: random.Random) -> Series:
    last = max(year for _, year in series)
    return {key: series.get((key[0], last - 1), value) if key[1] == last else value for key, value in series.items()}


def without_a_member(series: Series, other: Series, chance: random.Random) -> Series:
    member = chance.choice(MEMBERS)
    return {key: value for key, value in series.items() if key[0] != member}


FAULTS: dict[str, Fault] = {
    "times 10": times(10),
    "times 0.1": times(0.1),
    "times 2": times(2),
    "exchanged": exchanged,
    "permuted": permuted,
    "copied year": copied_year,
    "without a member": without_a_member,
    "one value": lambda series, other, chance: dict.fromkeys(series, 42.0),
    "whole numbers": lambda series, other, chance: {key: float(round(value)) for key, value in series.items()},
    "shares": lambda series, other, chance: {key: value / 100 for key, value in series.items()},
    "another indicator": lambda series, other, chance: dict(other),
}


def broken(request: Request, bank: Bank, chance: random.Random) -> Response:
    """Return an error, a page of HTML, or two thirds of the right answer."""
    whole = answer_world_bank(request, bank.figures, bank.lastupdated).get_data()
    return chance.choice(
        [
            Response("try later", status=503),
            Response("<html>maintenance</html>", content_type="text/html"),
            Response(whole[: 2 * len(whole) // 3], content_type="application/json"),
        ]
    )


@pytest.mark.exhaustive
def test_after_any_series_of_faults_every_landed_figure_is_right_or_was_right_before(
    published_warehouse: Path, tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    chance = random.Random(20301231)
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        truth: dict[str, Series] = {
            code: {
                (iso3, year): value
                for iso3, year, value in connection.execute(
                    "select iso3, year, value from observations where indicator_id = ? and year >= 2012", [indicator]
                ).fetchall()
            }
            for indicator, code in CODES.items()
        }
    known: dict[str, dict[tuple[str, int], set[float]]] = {code: defaultdict(set) for code in truth}
    bank = Bank(httpserver)
    at = workspace(tmp_path, bank)
    for step in range(60):
        bank.lastupdated = f"2027-{1 + step // 28:02d}-{1 + step % 28:02d}" if step % 2 else bank.lastupdated
        for code, series in truth.items():
            for key in chance.sample(sorted(series), 5):
                series[key] = round(series[key] * (1 + chance.uniform(-0.02, 0.02)), 6)
            for key, value in series.items():
                known[code][key].add(value)
        bank.figures, bank.answer = {code: dict(series) for code, series in truth.items()}, None
        name = chance.choice([*FAULTS, "broken", "none", "none"]) if step else "none"
        if name in FAULTS:
            target, other = chance.sample([*truth], 2)
            bank.figures[target] = FAULTS[name](truth[target], truth[other], chance)
        elif name == "broken":
            bank.answer = lambda request: broken(request, bank, chance)
        results = refresh(at).results
        for indicator in (INTERNET, BROADBAND):
            now, code = landed(at.layout, indicator), CODES[indicator]
            assert now.keys() == truth[code].keys(), (step, name, indicator)
            wrong = {key: value for key, value in now.items() if value not in known[code][key]}
            assert not wrong, (step, name, indicator)
        if name == "none":
            assert all(one.landed.status is not Landing.HELD_BACK for one in results), step
