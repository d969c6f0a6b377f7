"""Helpers of the ingestion tests: a workspace with two indicators and a World Bank on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import HttpUrl
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pipelines.ingestion import Ingestion, ingest
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.provider import Adapter
from sources.providers import world_bank
from tests.world_bank_server import DATA, answer_world_bank
from warehouse import landing
from warehouse.layout import Layout

INTERNET, BROADBAND = "internet_users_pct", "fixed_broadband_per_100"
CODES = {INTERNET: "IT.NET.USER.ZS", BROADBAND: "IT.NET.BBND.P2"}
COUNTRIES = ("AFG", "AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB", "DEU", "FRA")
Figures = dict[str, dict[tuple[str, int], Any]]


def some_figures(last_year: int = 2024) -> Figures:
    """Return figures for every country and year of both series, all different."""
    places = [(iso3, year) for iso3 in COUNTRIES for year in range(2012, last_year + 1)]
    return {
        code: {place: 10 + number / 5 + shift for number, place in enumerate(places)}
        for shift, code in enumerate(CODES.values())
    }


@dataclass
class Bank:
    """A World Bank on loopback that serves ``figures`` and ``lastupdated``; ``answer`` replaces the response."""

    server: HTTPServer
    figures: Figures = field(default_factory=some_figures)
    lastupdated: str = "2026-07-13"
    answer: Callable[[Request], Response] | None = None

    def __post_init__(self) -> None:
        self.server.expect_request("/v2/sources/2").respond_with_handler(self._source)
        self.server.expect_request(DATA).respond_with_handler(self._data)

    def _source(self, request: Request) -> Response:
        content = [{"page": "1", "total": "1"}, [{"id": "2", "lastupdated": self.lastupdated}]]
        return Response(json.dumps(content), content_type="application/json")

    def _data(self, request: Request) -> Response:
        return self.answer(request) if self.answer else answer_world_bank(request, self.figures, self.lastupdated)

    def requested(self) -> list[str]:
        """Return the paths requested since the last call."""
        paths = [request.path for request, _ in self.server.log]
        self.server.clear_log()
        return paths


def workspace(folder: Path, bank: Bank, **adapters: Adapter) -> Workspace:
    """Return a workspace with the bank and the given adapters as live providers, without the bundled archive."""
    opened = open_workspace(load_settings(warehouse=folder, http_tries=1))
    provider = opened.catalogue.providers["world_bank"]
    address = provider.model_copy(update={"base_url": HttpUrl(bank.server.url_for("/v2"))})
    catalogue = opened.catalogue.model_copy(
        update={
            "indicators": {name: opened.catalogue.indicators[name] for name in CODES},
            "providers": {**opened.catalogue.providers, "world_bank": address},
        }
    )
    return replace(
        opened,
        catalogue=catalogue,
        archive=replace(opened.archive, series=()),
        adapters={"world_bank": world_bank, **adapters},
    )


def refresh(
    at: Workspace, *, accept_shrink: bool = False, accept_revisions: Sequence[str] = (), only: str | None = None
) -> Ingestion:
    chosen = [at.catalogue.indicators[only]] if only else list(at.catalogue)
    return ingest(at, chosen, offline=False, accept_shrink=accept_shrink, accept_revisions=accept_revisions)


def landed(layout: Layout, indicator_id: str) -> dict[tuple[str, int], float]:
    vintage = landing.latest(layout, indicator_id)
    assert vintage is not None
    return {(iso3, year): value for iso3, year, value in vintage.read().select("iso3", "year", "value").rows()}


def rejects(layout: Layout) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in sorted(layout.rejects.glob("*.parquet"))])
