"""The whole catalogue against every provider: the used one, the number of requests, and the loss of one."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest
from pydantic import HttpUrl
from pytest_httpserver import HTTPServer

from pipelines import ingestion
from pipelines.ingested import Ingested
from pipelines.ingestion import ingest
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.catalogue import ARCHIVE
from sources.provider import Outcome
from sources.providers import ADAPTERS
from sources.providers.local_file import LocalFiles
from tests.integration.everyone import Everyone
from tests.running import AS_OF, clock, further
from warehouse import landing
from warehouse.landing import Landing
from warehouse.layout import Layout

HEADER = """\
indicator: paperless_trade
unit: pct
source_title: United Nations Global Survey on Digital and Sustainable Trade Facilitation
source_url: https://www.untfsurvey.org
licence: as published by the United Nations
vintage: 2025
retrieved_at: 2026-11-20T09:00:00Z
retrieved_by: a person
"""


@dataclass(frozen=True)
class Run:
    """A first run with all providers available: its result, and its warehouse for later runs."""

    everyone: Everyone
    workspace: Workspace
    results: dict[str, Ingested]
    requested: list[tuple[str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture(scope="module")
def first(server: HTTPServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_PROXY", "*")
        environment.setattr(ingestion, "utc_now", clock())
        folder = tmp_path_factory.mktemp("everyone")
        opened = open_workspace(load_settings(http_tries=1))
        everyone = Everyone(opened, server)
        local = folder / "local"
        local.mkdir()
        (local / "untf_survey.yml").write_text(HEADER)
        figures = everyone.figures["paperless_trade_pct"]
        lines = [f"{iso3},{year},{value}" for (iso3, year), value in figures.items()]
        (local / "untf_survey.csv").write_text("\n".join(["iso3,year,value", *lines, ""]))
        providers = {
            name: provider.model_copy(update={"base_url": HttpUrl(everyone.base(name))})
            for name, provider in opened.catalogue.providers.items()
        }
        workspace = replace(
            opened,
            catalogue=opened.catalogue.model_copy(update={"providers": providers}),
            adapters={**ADAPTERS, "local_file": LocalFiles(local)},
            layout=Layout(folder / "warehouse"),
        )
        done = ingest(workspace, list(workspace.catalogue), offline=False)
        yield Run(everyone, workspace, {one.indicator.id: one for one in done.results}, list(everyone.log))


def test_every_link_of_every_chain_has_an_adapter() -> None:
    workspace = open_workspace()
    links = {link.provider for indicator in workspace.catalogue for link in indicator.chain}
    assert links - {ARCHIVE} <= set(workspace.adapters)


def test_every_indicator_comes_from_the_first_link_of_its_chain(first: Run) -> None:
    for name, one in first.results.items():
        expected = one.indicator.chain[0].provider
        assert one.provider_used == expected, (name, one.attempts, one.stale_reason)
        if expected != ARCHIVE:
            assert (one.outcome, one.stale_reason, one.rejected) == (Outcome.OK, None, 0), name
        assert one.landed.status is not Landing.HELD_BACK and not one.landed.withdrawn, name
    # editions that a provider no longer serves are carried, not lost
    assert set(first.results["gii_score"].landed.vintage.read()["year"]) == set(range(2011, 2026))  # type: ignore[union-attr]


def test_each_file_and_each_query_is_requested_once_for_all_indicators(first: Run) -> None:
    assert len(first.results) > 70
    assert set(Counter(first.requested).values()) == {1}
    files = Counter(provider for provider, _ in first.requested)
    # the search for the newest file begins at the current year; one request returns all of it
    assert (files["gtmi"], files["itu_prices"], files["findex"], files["unesco_uis"]) == (1, 2, 1, 2)
    # the biennial surveys since 2010, and the next one
    assert files["un_egov"] == len(range(2010, int(AS_OF[:4]) + 1, 2))
    assert (
        files["world_bank"]
        < 10
        < sum(one.indicator.chain[0].provider == "world_bank" for one in first.results.values())
    )


REPRESENTATIVE = ("wipo_gii", "world_bank")
"""A provider with only the archive behind it in its chains, and one with others behind it."""


@pytest.mark.parametrize("provider", [*REPRESENTATIVE, *further(*sorted(ADAPTERS.keys() - {*REPRESENTATIVE}))])
def test_without_one_provider_no_figure_is_lost_and_its_fallback_is_named(
    provider: str, first: Run, tmp_path: Path
) -> None:
    at = replace(first.workspace, layout=Layout(tmp_path / "warehouse"))
    shutil.copytree(first.workspace.layout.root, at.layout.root, ignore=shutil.ignore_patterns("raw", "journal"))
    concerned = [one for one in at.catalogue if any(link.provider == provider for link in one.chain)]
    assert concerned
    first.everyone.silent = frozenset({provider})
    results = ingest(at, concerned, offline=False).results
    first.everyone.silent = frozenset()
    for one in results:
        name, chain = one.indicator.id, one.indicator.chain
        assert _figures(at, name).equals(_figures(first.workspace, name)) or _close(at, first.workspace, name), name
        if chain[0].provider != provider:
            assert one.provider_used == chain[0].provider
            continue
        reasons = f"{one.stale_reason or ''} {one.attempts}"
        assert f"{provider} {chain[0].provider_code}: unavailable" in one.attempts, name
        assert "HTTP 500" in reasons, name
        others = [link.provider for link in chain if link.provider not in (provider, ARCHIVE)]
        assert one.stale_reason or one.provider_used in others, (name, reasons)


def _figures(at: Workspace, indicator_id: str) -> pl.DataFrame:
    vintage = landing.latest(at.layout, indicator_id)
    assert vintage is not None, indicator_id
    return vintage.read().select("iso3", "year", "value")


def _close(at: Workspace, before: Workspace, indicator_id: str) -> bool:
    """Return whether the figures are equal up to the precision of the format."""
    key = ["iso3", "year"]
    both = _figures(at, indicator_id).join(_figures(before, indicator_id), on=key, how="full", suffix="_before")
    apart = (pl.col("value") - pl.col("value_before")).abs()
    return bool(both.select((apart <= 1e-9 * pl.col("value").abs()).fill_null(False).all()).item())
