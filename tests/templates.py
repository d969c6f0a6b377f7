"""Warehouses that several tests need. Each kind is built once per test run, for all processes of pytest.

Belongs here: fixtures that need a complete refresh and are used by several files. Does not belong here: assertions,
and warehouses that only one file needs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock
from pytest_httpserver import HTTPServer

from tests.altered_claims import alter_claims
from tests.running import AS_OF, ROOT, run_carec
from tests.world_bank_server import serve_world_bank
from warehouse.layout import Layout

MEMBERS = ("AFG", "AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB")
REVIEW_DAY = "2025-06-26"
"""The day of the mid-term review: figures published later are unknown to a warehouse of that day."""
INTERNET = "IT.NET.USER.ZS"
NEW_FIGURE = (("UZB", 2024), 80.0)
SMALL_REVISION = (("KGZ", 2010), 0.5)
"""A change in a year before every baseline. No score depends on it."""
ROUNDED_BY = 1e-6
REJECTED_FIGURE = (("KAZ", 2023), 1e308)
GOVTECH_PARTS = ("core_systems", "service_delivery", "citizen_engagement", "enablers")


def copy_warehouse(source: Path, target: Path) -> Path:
    """Copy a warehouse and return its path. ``carec.duckdb`` stays a link: followed, it is a third file of 26 MB."""
    return Path(shutil.copytree(source, target, symlinks=True))


@dataclass(frozen=True)
class Refreshed:
    """A warehouse after a refresh. Read only: take ``copy`` to change one.

    ``posted`` is what the webhook received.
    """

    warehouse: Path
    returncode: int
    stderr: str
    posted: list[dict[str, Any]]

    def copy(self, folder: Path) -> Path:
        return copy_warehouse(self.warehouse, folder / "warehouse")


Make = Callable[[Path, HTTPServer], subprocess.CompletedProcess[str]]


def once(factory: pytest.TempPathFactory, name: str, make: Make) -> Refreshed:
    """Return the template with this name. The first process that needs it makes it, the others wait.

    Args:
        factory: pytest's factory of temporary folders.
        name: Name of the template's folder.
        make: Builds the warehouse at the given path. The server has a webhook at ``/hook``.
    """
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    result = folder / "result.json"
    with FileLock(f"{folder}.lock"):
        if not result.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            with HTTPServer(threaded=True) as server:
                server.expect_request("/hook").respond_with_json({})
                done = make(folder / "warehouse", server)
                # what dbt has executed, in 800 files that no test reads: every copy is a third faster without them
                shutil.rmtree(Layout(folder / "warehouse").dbt_target / "run", ignore_errors=True)
                posted = [request.get_json() for request, _ in server.log if request.path == "/hook"]
            result.write_text(json.dumps({"returncode": done.returncode, "stderr": done.stderr, "posted": posted}))
    return Refreshed(folder / "warehouse", **json.loads(result.read_text()))


def copy_checkout(target: Path) -> Path:
    """Copy the project's files, so that a test may break them."""
    for part in ("pipelines", "sources", "dbt_project"):
        shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
    shutil.copytree(ROOT / "warehouse", target / "warehouse", ignore=shutil.ignore_patterns("__pycache__", "data"))
    return target


def world_bank_figures(warehouse: Path) -> dict[str, dict[tuple[str, int], float | None]]:
    """Return every published figure of the World Bank: code -> (ISO3, year) -> value."""
    served: dict[str, dict[tuple[str, int], float | None]] = {}
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select provider_code, iso3, year, value from observations where provider = 'world_bank'"
        ).fetchall()
    for code, iso3, year, value in found:
        served.setdefault(code, {})[iso3, year] = value
    return served


def refresh_live(
    warehouse: Path, url: str, root: Path = ROOT, *arguments: str, tested: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Refresh with this checkout from a World Bank at this address; no other provider can be reached."""
    return run_carec(
        "refresh",
        *arguments,
        warehouse=warehouse,
        root=root,
        tested=tested,
        CAREC_OFFLINE="",
        CAREC_WORLD_BANK_URL=url,
        CAREC_HTTP_TRIES="1",
        **environment,
    )


@pytest.fixture(scope="session")
def published_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse published from the bundled archive, after dbt's unit tests, with a record for Dagster's pages.

    Read only: take ``warehouse`` to change one.
    """

    def make(warehouse: Path, server: HTTPServer) -> subprocess.CompletedProcess[str]:
        done = run_carec("refresh", "--as-of", AS_OF, warehouse=warehouse, unit_tests=True, recorded=True)
        assert done.returncode == 0, done.stderr
        return done

    return once(tmp_path_factory, "published", make).warehouse


@pytest.fixture(scope="session")
def altered_seeds(tmp_path_factory: pytest.TempPathFactory, published_warehouse: Path) -> Refreshed:
    """The published warehouse after a refresh with other claims in the register and one more framework.

    ``tests.altered_claims`` has the claims and their known verdicts. The framework ``govtech`` is the GovTech index,
    added with only rows in ``framework_indicators`` and ``benchmarks``.
    """

    def make(warehouse: Path, server: HTTPServer) -> subprocess.CompletedProcess[str]:
        copy_warehouse(published_warehouse, warehouse)
        root = copy_checkout(warehouse.parent / "checkout")
        alter_claims(root / "dbt_project")
        seeds = root / "dbt_project" / "seeds"
        with (seeds / "framework_indicators.csv").open("a", encoding="utf-8") as file:
            file.writelines(f"govtech,gtmi_{part}_score,{part},{part},1,direct\n" for part in GOVTECH_PARTS)
        with (seeds / "benchmarks.csv").open("a", encoding="utf-8") as file:
            file.writelines(
                f"govtech,gtmi_{part}_score,none,,0,lower limit,1,upper limit,1,2030,1,as the target,World Bank,"
                "https://www.worldbank.org,computed\n"
                for part in GOVTECH_PARTS
            )
        done = run_carec("refresh", "--as-of", AS_OF, warehouse=warehouse, root=root)
        assert done.returncode == 0, done.stderr
        return done

    return once(tmp_path_factory, "altered_seeds", make)


@pytest.fixture(scope="session")
def review_day(tmp_path_factory: pytest.TempPathFactory, live_refresh: Refreshed) -> Refreshed:
    """The warehouse of ``live_refresh``, scored as of the day of the review."""

    def make(warehouse: Path, server: HTTPServer) -> subprocess.CompletedProcess[str]:
        copy_warehouse(live_refresh.warehouse, warehouse)
        hook = server.url_for("/hook")
        # the whole job in test_definitions runs the data tests of this day
        done = run_carec("refresh", "--as-of", REVIEW_DAY, warehouse=warehouse, tested=False, CAREC_WEBHOOK_URL=hook)
        assert done.returncode == 0, done.stderr
        return done

    return once(tmp_path_factory, "review_day", make)


@pytest.fixture(scope="session")
def failed_refresh(tmp_path_factory: pytest.TempPathFactory, published_warehouse: Path) -> Refreshed:
    """The published warehouse after a refresh that two checks stopped: thirty indicators are listed twice, and a data
    test rejects every benchmark."""

    def make(warehouse: Path, server: HTTPServer) -> subprocess.CompletedProcess[str]:
        copy_warehouse(published_warehouse, warehouse)
        project = copy_checkout(warehouse.parent / "checkout") / "dbt_project"
        model = project / "models" / "marts" / "indicators.sql"
        sql = model.read_text(encoding="utf-8")
        model.write_text(f"with once as ({sql}) from once union all (from once limit 30)", encoding="utf-8")
        (project / "tests" / "benchmarks_are_sound.sql").write_text("select * from {{ ref('benchmarks') }}\n")
        hook = server.url_for("/hook")
        return run_carec("refresh", warehouse=warehouse, root=project.parent, recorded=True, CAREC_WEBHOOK_URL=hook)

    return once(tmp_path_factory, "failed_refresh", make)


LOCAL_FILE = """\
indicator: paperless_trade
unit: pct
source_title: a survey
source_url: https://provider.test/survey
licence: as published
vintage: 2023
retrieved_at: 2026-11-20T09:00:00Z
retrieved_by: a person
"""


@pytest.fixture(scope="session")
def live_refresh(tmp_path_factory: pytest.TempPathFactory, published_warehouse: Path) -> Refreshed:
    """The published warehouse after a refresh from a World Bank that serves the archived figures, with a local file
    for ``paperless_trade_pct``, and with one changed figure in the archive: Kazakhstan's rank of 2024 is 48."""

    def make(warehouse: Path, server: HTTPServer) -> subprocess.CompletedProcess[str]:
        copy_warehouse(published_warehouse, warehouse)
        local = warehouse / "local"
        local.mkdir()
        (local / "untf_survey.csv").write_text("iso3,year,value\nKAZ,2023,80.5\nUZB,2023,70.5\n")
        (local / "untf_survey.yml").write_text(LOCAL_FILE)
        root = copy_checkout(warehouse.parent / "checkout")
        archive = root / "sources" / "archive" / "gii_rank.csv"
        text = archive.read_text(encoding="utf-8")
        assert "KAZ,2024,78" in text
        archive.write_text(text.replace("KAZ,2024,78", "KAZ,2024,48"), encoding="utf-8")
        # the second live refresh runs the data tests of these figures and its own
        bank = serve_world_bank(server, world_bank_figures(warehouse))
        done = refresh_live(warehouse, bank, root, tested=False)
        assert done.returncode == 0, done.stderr
        return done

    return once(tmp_path_factory, "live_refresh", make)


@pytest.fixture(scope="session")
def second_live_refresh(tmp_path_factory: pytest.TempPathFactory, live_refresh: Refreshed) -> Refreshed:
    """The warehouse of ``live_refresh`` after another refresh. The World Bank served a large revision, a small revision
    and an invalid figure of internet use; figures of economies that are not members differ by rounding."""

    def make(warehouse: Path, server: HTTPServer) -> subprocess.CompletedProcess[str]:
        copy_warehouse(live_refresh.warehouse, warehouse)
        served = world_bank_figures(warehouse)
        figures = served[INTERNET]
        for place, value in figures.items():
            assert value is not None
            if place[0] not in MEMBERS:
                figures[place] = value + ROUNDED_BY
        place, change = SMALL_REVISION
        figures.update([NEW_FIGURE, REJECTED_FIGURE, (place, float(figures[place] or 0) + change)])
        hook = server.url_for("/hook")
        checkout = live_refresh.warehouse.parent / "checkout"
        done = refresh_live(warehouse, serve_world_bank(server, served), checkout, CAREC_WEBHOOK_URL=hook)
        assert done.returncode == 0, done.stderr
        return done

    return once(tmp_path_factory, "second_live_refresh", make)
