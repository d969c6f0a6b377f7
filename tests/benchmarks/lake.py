"""``make bench-lake``: the cost of the lake, as ratios of pairs that are measured in the same run.

Belongs here: publications to the lake and as a file, what is written where few rows changed, readers on the lake and on
the file, at the present size and at 100 times. Does not belong here: assertions; workers (``lake_workers``). Prints a
table and writes ``bench-lake.json``.

PostgreSQL and the Parquet files are on this machine. The publication is that of the archive; at 100 times, each row of
a table that has figures is there a hundred times under other codes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import duckdb

from sources.observation import utc_now
from tests.benchmarks.results import compared, seconds
from tests.postgres import empty_database, postgres
from tests.running import ROOT, run_carec
from warehouse.lake import publishing, reading
from warehouse.lake.connection import Lake, attached, lake_at, make
from warehouse.layout import Layout
from warehouse.publish import Receipt, publish, seal, write_receipt
from warehouse.reading import open_published, quoted

PAIRS = 5
TIMES = 100
LARGE_TABLE = 1000
"""Rows from which a table has figures and grows with the economies and indicators."""
QUERIES = (
    "from scorecard",
    "select * from observations where iso3 = 'UZB' order by all",
    "select indicator_id, count(*), avg(value) from observations group by all order by all",
    "from indicator_scores where iso3 = 'KAZ'",
    "from trajectories where iso3 = 'GEO'",
    "select verdict, count(*) from claims_audit group by all",
)


@dataclass
class Home:
    """A warehouse whose build is published as a file, and a lake."""

    layout: Layout
    lake: Lake
    url: str
    number: int = 0

    def empty_lake(self) -> None:
        shutil.rmtree(self.lake.data, ignore_errors=True)
        empty_database(self.url, "bench")
        make(self.lake)

    def next_build(self) -> None:
        """Change one row in a hundred of the figures and scores, as after a refresh."""
        self.number += 1
        with duckdb.connect(str(self.layout.build)) as connection:
            for table, column in (("observations", "value"), ("indicator_scores", "latest_value")):
                connection.execute(
                    f"update {table} set {column} = {column} + 1e-6"
                    f" where hash({table}.iso3, {table}.indicator_id) % 100 = {self.number % 100}"
                )
        receipt = Receipt(f"{self.number:064}", "2026-11-27", True, utc_now().isoformat(), sha256=seal(self.layout))
        write_receipt(self.layout, receipt)

    def publish_file(self) -> float:
        # a second later than the last, whatever the clock says
        at = utc_now() + timedelta(seconds=self.number)
        return seconds(lambda: publish(self.layout, at, keep=2))

    def publish_lake(self) -> float:
        return seconds(lambda: publishing.publish_to_lake(self.lake, self.layout.published))

    def bytes(self) -> int:
        return sum(path.stat().st_size for path in Path(self.lake.data).rglob("*.parquet"))


def _enlarge(source: Path, target: Path) -> None:
    """Write a build whose larger tables have each row ``TIMES`` times, under other codes in the first text column."""
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach '{quoted(source)}' as source (read_only)")
        tables = connection.execute(
            "select table_name, estimated_size from duckdb_tables() where database_name = 'source'"
        ).fetchall()
        for table, size in tables:
            key = connection.execute(
                "select column_name from duckdb_columns() where database_name = 'source' and table_name = ?"
                " and data_type = 'VARCHAR' order by column_index limit 1",
                [table],
            ).fetchone()
            if size < LARGE_TABLE or key is None:
                connection.execute(f'create table "{table}" as from source."{table}"')
                continue
            other = f'case number when 0 then "{key[0]}" else "{key[0]}" || \'~\' || number end as "{key[0]}"'
            # other figures too, or they would need no space
            figures = connection.execute(
                "select column_name from duckdb_columns() where database_name = 'source' and table_name = ?"
                " and data_type = 'DOUBLE'",
                [table],
            ).fetchall()
            other += "".join(f', "{name}" + number / 1e6 as "{name}"' for (name,) in figures)
            connection.execute(
                f'create table "{table}" as select r.* replace ({other})'
                f' from source."{table}" as r cross join range({TIMES}) as copies (number)'
            )
        connection.execute("checkpoint")


def _publications(home: Home, size: str, aim: float) -> list[dict[str, object]]:
    """Return the pairs of whole and of changed publications, and what the latter wrote."""
    results = []
    files, lakes = [], []
    for _ in range(PAIRS):
        home.next_build()
        home.empty_lake()
        files.append(home.publish_file())
        lakes.append(home.publish_lake())
    results.append(compared(f"publication to an empty lake / as a file, {size}", aim, lakes, files))
    whole = float(home.bytes())
    files, lakes, written, rows = [], [], [], []
    for _ in range(PAIRS):
        home.next_build()
        files.append(home.publish_file())
        before = home.bytes()
        lakes.append(home.publish_lake())
        written.append(home.bytes() - before)
        with attached(home.lake, read_only=True) as connection:
            newest = publishing.publications(connection)[-1]
        rows.append((newest.changed, sum(int(text.split()[0]) for text in newest.tables.values())))
    results.append(compared(f"publication to the lake, 1 % of rows changed / as a file, {size}", aim, lakes, files))
    mib = [[one / 2**20 for one in some] for some in (written, [whole] * PAIRS)]
    results.append(compared(f"bytes written where 1 % of rows changed / all, {size}", 0.1, *mib, unit="mib"))
    changed, every = ([float(one[at]) for one in rows] for at in (0, 1))
    results.append(
        compared(f"rows deleted and inserted where 1 % changed / all, {size}", 0.1, changed, every, unit="rows")
    )
    return results


def _readers(home: Home, folder: Path) -> list[dict[str, object]]:
    """Return queries as commands send them, and over a connection as of `carec lake connect`; both warm."""

    def asked(connection: duckdb.DuckDBPyConnection) -> None:
        for query in QUERIES:
            connection.execute(query).fetchall()

    def on_file(path: Path) -> None:
        with open_published(path) as connection:
            asked(connection)

    def as_command() -> None:
        on_file(reading.fetched(home.lake, Layout(folder), reading.in_lake(home.lake)[-1], keep=2))

    as_command()  # fetches the publication
    with open_published(home.layout.published) as file, attached(home.lake, read_only=True) as lake:
        lake.execute("use lake")
        ways: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
            ("carec scorecard, the process", lambda: _command(home, folder), lambda: _command(home, None)),
            ("six queries and a new connection", as_command, lambda: on_file(home.layout.published)),
            ("six queries, attached, each for itself", lambda: asked(lake), lambda: asked(file)),
            ("six queries, attached, in a transaction", lambda: asked(lake), lambda: asked(file)),
        ]
        results = []
        for name, on_lake, alone in ways:
            lake.execute("begin" if name.endswith("transaction") else "select 1")
            on_lake()
            alone()
            times = [(seconds(on_lake), seconds(alone)) for _ in range(PAIRS)]
            results.append(compared(f"{name}: on the lake / on the file", 3, *map(list, zip(*times, strict=True))))
        return results


def _command(home: Home, folder: Path | None) -> None:
    """Run a reading command: of a folder that reads the lake, or without a lake."""
    settings = {"CAREC_WAREHOUSE": str(folder or home.layout.root)}
    if folder:
        settings |= {"CAREC_LAKE": home.url.removesuffix("carec") + "bench", "CAREC_LAKE_DATA": home.lake.data}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAREC_")}
    command = [sys.executable, "-m", "pipelines.cli", "scorecard"]
    subprocess.run(command, env=environment | settings, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def rows(source: Path, folder: Path, url: str) -> list[dict[str, object]]:
    """Return every ratio.

    Args:
        source: A published file.
        folder: Empty folder for warehouses and the lake's data.
        url: Address of PostgreSQL's database ``carec``.
    """
    results: list[dict[str, object]] = []
    for size, aim in (("present size", 3.0), (f"{TIMES} x", 1.5)):
        layout = Layout(folder / size.replace(" ", "-"))
        layout.root.mkdir()
        home = Home(layout, lake_at(url.removesuffix("carec") + "bench", str(layout.root / "lake")), url)
        if aim == 3.0:
            shutil.copyfile(source, layout.build)
        else:
            _enlarge(source, layout.build)
        results += _publications(home, size, aim)
        if aim == 3.0:
            results += _readers(home, folder / "reader")
        shutil.rmtree(layout.root)
    return results


def _print(results: list[dict[str, object]]) -> None:
    for result in results:
        more = ", ".join(f"{key} {value}" for key, value in result.items() if "median" in key)
        print("{name:<72} {ratio:>6} (aim {aim}, range {range}".format_map(result) + f", {more})", flush=True)


def main() -> None:
    """Measure, print the table, write ``bench-lake.json`` next to the README."""
    with tempfile.TemporaryDirectory(prefix="carec-bench-") as name, postgres() as address:
        folder = Path(name)
        if sys.argv[1:]:  # a published file instead of a refresh
            source = Path(sys.argv[1])
        else:
            done = run_carec("refresh", "--offline", warehouse=folder / "built")
            if done.returncode:
                sys.exit(done.stderr)
            source = folder / "built" / "carec.duckdb"
        results = rows(source, folder, address.replace("+psycopg2", ""))
    _print(results)
    if find_spec("tests.benchmarks.lake_workers"):
        workers = import_module("tests.benchmarks.lake_workers").rows()
        _print(workers)
        results += workers
    (ROOT / "bench-lake.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
