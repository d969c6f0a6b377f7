"""A table as large as that of the Quality of Government Institute: read, kept and replayed within the memory limit."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from pipelines.cli import raw as raw_pages
from tests.conftest import ROOT
from tests.running import further
from warehouse import raw
from warehouse.layout import Layout

COLUMNS = ["ccode", "cname", "ccodealp", "year", "egov_egov", *(f"wdi_{number:04}" for number in range(1995))]
ROW = "1,Côte d'Ivoire,CIV,{},,{}{}\n"
SIZES = [94_371_840, *further(67_172_419)]
"""Sizes of the editions of January 2026 and January 2021."""
MOST_MIB = 500
RUN = """
import sys
from dataclasses import replace
from pathlib import Path
from pipelines.ingestion import ingest
from pipelines.replay import replay
from pipelines.settings import load_settings
from pipelines.workspace import open_workspace

opened = open_workspace(load_settings(warehouse=Path(sys.argv[1])))
egdi = opened.catalogue.indicators["egdi_index"]
only = egdi.model_copy(update={"chain": tuple(link for link in egdi.chain if link.provider in ("qog", "archive"))})
at = replace(
    opened,
    catalogue=opened.catalogue.model_copy(update={"indicators": {egdi.id: only}}),
    archive=replace(opened.archive, series=()),
)
if sys.argv[2] == "replay":
    print(replay(at).differences)
else:
    (result,) = ingest(at, [only], offline=False).results
    kazakhstan = result.vintage.read().filter(iso3="KAZ") if result.vintage else None
    print(result.outcome, kazakhstan.select("year", "value").rows() if kazakhstan is not None else result.attempts)
status = Path("/proc/self/status")
# the figure of the kernel for this process only: that of getrusage includes the memory of the parent process
peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]
print(int(peak) // 1024)
"""


def table(path: Path, size: int) -> None:
    """Write a table of exactly ``size`` bytes. Its first row is Kazakhstan in 2023."""
    cells = "".join(f",{number * 7919 % 1000003 / 7:.6f}" for number in range(1994))
    with path.open("wb") as file:
        file.write(f"{','.join(COLUMNS)}\n398,Kazakhstan,KAZ,2023,0.5,1{cells}\n".encode())
        row = len(ROW.format(2020, "", cells).encode())
        while (left := size - file.tell()) > 2 * row:
            file.write(ROW.format(1946 + left % 70, left, cells).encode())
        file.write(ROW.format(2020, "1" * (left - row), cells).encode())
    assert path.stat().st_size == size


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Serve a file without compression. Yields the file and the base address."""
    file = tmp_path / "qog.csv"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.endswith("_jan26.csv")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(file.stat().st_size if found else 0))
            self.end_headers()
            if found:
                with file.open("rb") as content:
                    shutil.copyfileobj(content, self.wfile)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield file, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(warehouse: Path, url: str, what: str) -> list[str]:
    """Run a step in a separate process. Return its output and its peak memory in MiB."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAREC_")}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(warehouse), what],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environment, "NO_PROXY": "*", "CAREC_QOG_URL": url, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak memory is read from /proc")
@pytest.mark.parametrize("size", SIZES)
def test_a_large_table_is_fetched_kept_parsed_and_replayed_within_the_memory_limit(
    size: int, serve: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, url = serve
    table(file, size)
    warehouse = tmp_path / "warehouse"
    printed, peak = run(warehouse, url, "refresh")
    assert printed == "ok [(2024, 0.5)]"  # the row of 2023 is the survey of 2024
    assert int(peak) < MOST_MIB

    printed, peak = run(warehouse, url, "replay")
    assert printed == "[]"
    assert int(peak) < MOST_MIB

    sent = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setenv("CAREC_WAREHOUSE", str(warehouse))
    assert hashlib.sha256(raw_pages.body(sent)).hexdigest() == sent
    assert f"{url}/qog_std_ts_jan26.csv" in "\n".join(raw_pages.retrievals(sent))
    assert raw.find(Layout(warehouse), sent) == [sent]
    assert not list(warehouse.rglob("*.tmp")), "a temporary file was left"


def test_a_table_above_the_limit_of_the_provider_is_refused_with_the_remedy(
    serve: tuple[Path, str], tmp_path: Path
) -> None:
    file, url = serve
    with file.open("wb") as content:
        content.truncate((256 << 20) + 1)
    printed, _ = run(tmp_path / "warehouse", url, "refresh")
    assert "unavailable" in printed
    assert f"qog: {url}/qog_std_ts_jan26.csv: more than 268,435,456 bytes came" in printed
    assert "raise max_body_mib of qog in providers.yml" in printed
