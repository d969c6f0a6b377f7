"""A warehouse through a random sequence of changes: after each one, its publication equals that of a full build.

Belongs here: the changes (figures of a provider, of a local file and of the archive, seeds, models, texts, functions,
the catalogue, the as-of day, nothing at all, a change taken back), and the comparison of two publications. Does not
belong here: interrupted refreshes (``test_recovery``), and what a change should do to a figure.

``pytest --changes 50 -m exhaustive -n 0 tests/integration/test_random_changes.py`` makes fifty changes.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from pytest_httpserver import HTTPServer

from tests.running import run_carec
from tests.templates import LOCAL_FILE, MEMBERS, refresh_live, world_bank_figures
from tests.world_bank_server import serve_world_bank

SEED = 16
DAYS = ("", "", "2026-11-27", "2026-11-24", "2025-06-26")
"""As-of days; without one, a refresh scores today."""

SEEDS = "dbt_project/seeds"
MODELS = "dbt_project/models"
NEW_TABLE = """\
version: 2
models:
  - name: changed_table
    description: A table that a change adds
    config: {meta: {version: 1}}
    columns:
      - {name: iso3, data_type: varchar, description: A member}
      - {name: scored, data_type: bigint, description: Its indicators with a score}
"""
EDITS: dict[str, list[tuple[str, str, str]]] = {
    "seed": [
        (f"{SEEDS}/benchmarks.csv", "internet_users_pct,none,2021,13.39,", "internet_users_pct,none,2021,14.5,"),
        (f"{SEEDS}/claims.csv", "internet_use_share,percent,,,,96,", "internet_use_share,percent,,,,93,"),
        (f"{SEEDS}/scoring_parameters.csv", "noise_z,1.645,", "noise_z,1.2,"),
        (f"{SEEDS}/framework_indicators.csv", "internet_users_pct,p3,3a,1,", "internet_users_pct,p3,3a,2,"),
        (f"{SEEDS}/status_thresholds.csv", "moderately_improving,0.5,", "moderately_improving,0.4,"),
    ],
    "code": [
        ("dbt_project/dbt_project.yml", "audit_redundant: 0.92", "audit_redundant: 0.85"),
        (f"{MODELS}/intermediate/int_overall_scores.sql", "(indicators_total), 0)", "(indicators_total) + 1, 0)"),
        (f"{MODELS}/intermediate/int_slopes.sql", "-- Observed change", "-- The observed change"),
        ("dbt_project/macros/revision_size.sql", "then 'large'", "then 'small'"),
        (f"{MODELS}/marts/_path.yml", "year by year, with the observations,", "each year, with the observations,"),
        ("pipelines/dbt/statistics.py", "[-1] / values.shape[1])", "[-1] / values.shape[1] / 2)"),
        ("pipelines/texts/words.py", '"pct": 1,', '"pct": 2,'),
        ("sources/catalog/indicators.yml", "title: Individuals using the internet\n", "title: Using the internet\n"),
        (f"{MODELS}/marts/_changed.yml", "", NEW_TABLE),
    ],
    "archive": [("sources/archive/gii_rank.csv", "KAZ,2024,78", "KAZ,2024,48")],
}  # fmt: skip
"""Kind -> file, text, its replacement. An empty text adds the file."""
TABLE = "select iso3, count(level_score) as scored from {{ ref('indicator_scores') }} group by iso3\n"

OPENING = ("figure", "code", "nothing", "back", "seed")
KINDS = (*OPENING, "figure", "code", "archive", "local", "back", "day")
"""The first changes, in this order; then all kinds in random order, again and again."""
OF_A_RUN = {
    "publication": ("published_at", "fingerprint"),
    "source_health": ("provider_requested", "provider_used", "outcome", "retrieved_at", "stale_reason", "attempts"),
    "progress_summary": ("previous_indicators", "change"),
}
"""Columns with the time or the outcome of a run, or a comparison with the publication before."""
HISTORY = "claim_verdict_changes"
"""The table of earlier publications, which a new warehouse does not have."""


@dataclass
class World:
    """One warehouse, its checkout and its provider. ``undo`` has the ways back, one for each change still in force."""

    warehouse: Path
    root: Path
    bank: HTTPServer
    chance: random.Random
    served: dict[str, dict[tuple[str, int], float | None]]
    day: str = ""
    releases: int = 0
    undo: list[tuple[str, Callable[[], None]]] = field(default_factory=list)

    def change(self, kind: str) -> str:
        """Make one change of this kind. Return what it was."""
        if kind == "nothing" or (kind == "back" and not self.undo):
            return "nothing"
        if kind == "back":
            what, back = self.undo.pop(self.chance.randrange(len(self.undo)))
            back()
            return f"taken back: {what}"
        if kind == "day":
            self.day = self.chance.choice([day for day in DAYS if day != self.day])
            return f"as of {self.day or 'today'}"
        what, back = self._figure() if kind == "figure" else self._local() if kind == "local" else self._edit(kind)
        self.undo.append((what, back))
        return what

    def _figure(self) -> tuple[str, Callable[[], None]]:
        """Change, add or withdraw a figure of a member at the World Bank."""
        code = self.chance.choice(sorted(self.served))
        figures = self.served[code]
        place = self.chance.choice(sorted(at for at in figures if at[0] in MEMBERS))
        way = self.chance.choice(("changed", "added", "withdrawn"))
        if way == "added":
            place = (place[0], max(year for _, year in figures) + 1)
        before = figures.get(place)
        near = next(value for value in (before, *figures.values()) if value is not None)
        self._serve(code, place, None if way == "withdrawn" else near * self.chance.uniform(0.97, 1))
        return f"{code} of {place} {way}", lambda: self._serve(code, place, before)

    def _serve(self, code: str, place: tuple[str, int], value: float | None) -> None:
        self.served[code][place] = value
        self.releases += 1

    def _local(self) -> tuple[str, Callable[[], None]]:
        path = self.warehouse / "local" / "untf_survey.csv"
        before = path.read_text()
        path.write_text(f"iso3,year,value\nKAZ,2023,{self.chance.uniform(60, 90):.2f}\nUZB,2023,70.5\n")
        return "a local figure", lambda: void(path.write_text(before))

    def _edit(self, kind: str) -> tuple[str, Callable[[], None]]:
        """Make one of the edits of a file that is not in force; none where all are."""
        edits = [edit for edit in EDITS[kind] if not self._has(*edit)]
        if not edits:
            return "nothing", lambda: None
        name, old, new = self.chance.choice(edits)
        path = self.root / name
        if not old:
            model = path.with_name("changed_table.sql")
            model.write_text(TABLE)
            path.write_text(new)
            return f"{name} added", lambda: (path.unlink(), model.unlink())[0]
        assert path.read_text().count(old) == 1, (name, old)
        path.write_text(path.read_text().replace(old, new))
        return f"{name}: {new}", lambda: void(path.write_text(path.read_text().replace(new, old)))

    def _has(self, name: str, old: str, new: str) -> bool:
        path = self.root / name
        return path.exists() if not old else new in path.read_text()

    def refresh(self) -> str:
        """Refresh in place, and return what the refresh printed."""
        self.bank.clear()
        url = serve_world_bank(
            self.bank,
            self.served,
            f"{2026 + self.releases // 336}-{self.releases // 28 % 12 + 1:02}-{self.releases % 28 + 1:02}",
        )
        arguments = ("--as-of", self.day) if self.day else ()
        done = refresh_live(self.warehouse, url, self.root, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def inputs(self) -> str:
        """Return a hash of all that a build depends on: the checkout, the landed files but for the health, the day."""
        landing = self.warehouse / "landing"
        paths = [p for p in self.root.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        paths += [p for p in landing.rglob("*") if p.is_file() and p.parent != landing]
        digest = hashlib.sha256(str(as_of(self.warehouse)).encode())
        for path in sorted(paths):
            digest.update(str(path).encode() + path.read_bytes())
        return digest.hexdigest()

    def build_fully(self, folder: Path) -> Path:
        """Build everything in a new warehouse with the same landed figures. Return its publication."""
        new = folder / "warehouse"
        for part in ("landing", "local"):
            shutil.copytree(self.warehouse / part, new / part)
        # data tests change no table
        done = run_carec("refresh", "--as-of", as_of(self.warehouse), warehouse=new, root=self.root, tested=False)
        assert done.returncode == 0, done.stderr
        kept = folder / "full.duckdb"
        shutil.copyfile(new / "carec.duckdb", kept)
        shutil.rmtree(new)
        return kept


def void(_: object) -> None:
    """Return nothing, whatever a function returned."""


def as_of(warehouse: Path) -> str:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        ((day,),) = connection.execute("select as_of::varchar from publication").fetchall()
    return str(day)


def differences(published: Path, full: Path) -> Iterator[str]:
    """Yield every published table or view whose columns, comments or rows differ."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{published}' as published (read_only); attach '{full}' as full_build (read_only)")
        columns = {
            side: connection.execute(
                "select table_name, column_name, data_type, columns.comment, tables.comment"
                " from duckdb_columns() as columns"
                " left join duckdb_tables() as tables using (database_name, table_name)"
                " where database_name = ? order by all",
                [side],
            ).fetchall()
            for side in ("published", "full_build")
        }
        for odd in sorted(set(columns["published"]) ^ set(columns["full_build"]), key=str):
            yield f"only on one side: {odd}"
        tables = {row[0] for row in columns["published"]} & {row[0] for row in columns["full_build"]} - {HISTORY}
        for table in sorted(tables):
            left_out = OF_A_RUN.get(table, ())
            which = f"* exclude ({', '.join(left_out)})" if left_out else "*"
            for one, other in (("published", "full_build"), ("full_build", "published")):
                rows = connection.execute(
                    f'select {which} from {one}."{table}" except all select {which} from {other}."{table}"'
                ).fetchall()
                if rows:
                    yield f"{table}: {len(rows)} rows only in the {one}, such as {rows[0]}"


@pytest.mark.exhaustive
def test_after_every_random_change_a_publication_equals_that_of_a_full_build(
    warehouse: Path, checkout: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    local = warehouse / "local"
    local.mkdir()
    (local / "untf_survey.csv").write_text("iso3,year,value\nKAZ,2023,80.5\nUZB,2023,70.5\n")
    (local / "untf_survey.yml").write_text(LOCAL_FILE)
    chance = random.Random(SEED)
    built: dict[str, Path] = {}
    deck = [*reversed(OPENING)]
    differing: list[tuple[object, ...]] = []
    with HTTPServer(threaded=True) as bank:
        world = World(warehouse, checkout, bank, chance, world_bank_figures(warehouse))
        for number in range(pytestconfig.getoption("--changes")):
            deck = deck or chance.sample(KINDS, len(KINDS))
            what = world.change(deck.pop())
            said = world.refresh().splitlines()[-1]
            inputs = world.inputs()
            if inputs not in built:
                (folder := tmp_path / f"full{number}").mkdir()
                built[inputs] = world.build_fully(folder)
            found = list(differences(warehouse / "carec.duckdb", built[inputs]))
            print(f"{number + 1}: {what} -> {said[:60]}; {len(built)} full builds; {found or 'equal'}", flush=True)
            differing += [(number + 1, what, *found)] if found else []
    assert not differing
