"""``carec doctor``: a sound warehouse has no fault, and each fault is reported with a remedy."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from pipelines.cli import doctor
from pipelines.cli.doctor import Diagnosis
from pipelines.orchestration.instance import prepare_home
from tests.conftest import AS_OF, ROOT, run_carec
from warehouse import raw
from warehouse.files import exclusive
from warehouse.layout import Layout
from warehouse.publish import Receipt, write_receipt


def look(layout: Layout) -> dict[str, Diagnosis]:
    return {finding.check: finding for finding in doctor.examine(layout)}


def test_a_sound_warehouse_is_reported_as_sound_in_every_format(published_warehouse: Path) -> None:
    done = run_carec("doctor", "--format", "json", warehouse=published_warehouse)
    assert done.returncode == 0, done.stdout
    rows = json.loads(done.stdout)
    assert [list(row) for row in rows] == [list(doctor.COLUMNS)] * len(rows)
    assert {row["status"] for row in rows} == {"ok"} and not any(row["remedy"] for row in rows)
    checks = [row["check"] for row in rows]
    assert {"lock", "dbt manifest", "publication", "landing", "raw store", "disk space", "leftovers"} <= set(checks)
    assert {"dagster", "build", "settings"} <= set(checks)
    as_csv = run_carec("doctor", "--format", "csv", warehouse=published_warehouse).stdout
    assert [row["check"] for row in csv.DictReader(io.StringIO(as_csv))] == checks
    table = run_carec("doctor", warehouse=published_warehouse)
    assert table.returncode == 0 and "remedy" in table.stdout


def test_before_the_first_refresh_it_recommends_a_refresh_and_writes_no_file(tmp_path: Path) -> None:
    done = run_carec("doctor", "--format", "json", warehouse=tmp_path / "none")
    assert done.returncode == 1
    remedies = {row["check"]: row["remedy"] for row in json.loads(done.stdout)}
    assert remedies["publication"] == remedies["landing"] == remedies["leftovers"] == "carec refresh"
    assert not (tmp_path / "none").exists()


def half_manifest(layout: Layout) -> None:
    path = layout.dbt_target / "manifest.json"
    path.write_bytes(path.read_bytes()[:5000])


def old_dbt(layout: Layout) -> None:
    path = layout.dbt_target / "manifest.json"
    content = json.loads(path.read_bytes())
    content["metadata"]["dbt_version"] = "1.10.0"
    path.write_text(json.dumps(content))


def damaged_vintage(layout: Layout) -> None:
    vintage = sorted(layout.vintages("gii_rank").glob("2*.parquet"))[-1]
    shutil.copy(sorted(layout.vintages("gii_score").glob("2*.parquet"))[-1], vintage)


def damaged_body(layout: Layout) -> None:
    sha256 = raw.store(layout, b"a provider's answer" * 100, {"url": "http://127.0.0.1/"})
    path = layout.raw / sha256[:2] / f"{sha256}.gz"
    path.write_bytes(path.read_bytes()[:-20] + b"x" * 20)


def half_copy(layout: Layout) -> None:
    (layout.root / ".carec.duckdb.a1b2.tmp").write_bytes(b"half")


def interrupted_build(layout: Layout) -> None:
    layout.receipt.unlink()


def damaged_build(layout: Layout) -> None:
    layout.build.write_bytes(b"not a database")


def failed_build(layout: Layout) -> None:
    write_receipt(layout, Receipt("m", "2026-11-23", False, "2026-11-23T12:00", "1 of 300 tests did not pass\nmore"))


def no_publication(layout: Layout) -> None:
    layout.published.write_bytes(b"not a database")


def broken_home(layout: Layout) -> None:
    (prepare_home(layout) / "dagster.yaml").write_text("telemetry: {")


def broken_store(layout: Layout) -> None:
    store = prepare_home(layout) / "history" / "runs.db"
    store.parent.mkdir(exist_ok=True)
    with sqlite3.connect(store) as connection:
        connection.execute("create table if not exists t as select 1 as x")
    connection.close()
    content = bytearray(store.read_bytes())
    content[:100] = b"x" * 100
    store.write_bytes(content)


@pytest.mark.parametrize(
    ("fault", "check", "finding", "remedy"),
    [
        (half_manifest, "dbt manifest", "cannot be read", "manifest.json"),
        (old_dbt, "dbt manifest", "written by dbt 1.10.0", "manifest.json"),
        (damaged_vintage, "landing", "gii_rank/2", "carec replay --write"),
        (damaged_body, "raw store", "damaged: raw/", "restore them from a backup"),
        (half_copy, "leftovers", ".carec.duckdb.a1b2.tmp", "carec refresh"),
        (interrupted_build, "leftovers", "build.duckdb", "carec refresh"),
        (damaged_build, "leftovers", "build.duckdb", "carec refresh"),
        (failed_build, "build", "not published: 1 of 300 tests did not pass", "carec refresh"),
        (no_publication, "publication", "is not a publication", "carec refresh"),
        (broken_home, "dagster", "dagster.yaml cannot be used", "writes the project's own"),
        (broken_store, "dagster", "runs.db", "no figures"),
    ],
)
def test_each_fault_is_reported_with_its_place_and_a_remedy(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch, fault: object, check: str, finding: str, remedy: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    layout = Layout(warehouse)
    assert callable(fault)
    fault(layout)
    found = look(layout)
    assert {name for name, each in found.items() if each.remedy} == {check}
    assert finding in found[check].finding and remedy in str(found[check].remedy)
    assert "\n" not in found[check].finding


def test_a_refresh_that_finds_nothing_changed_ends_the_report_of_a_failed_build(warehouse: Path) -> None:
    """A faulty input was corrected after the failed build, so that there is nothing to build."""
    layout = Layout(warehouse)
    failed_build(layout)
    os.utime(layout.dbt_target / "manifest.json", (0, 0))  # older than the corrected file
    assert look(layout)["build"].remedy
    done = run_carec("refresh", "--offline", "--as-of", AS_OF, warehouse=warehouse)
    assert done.returncode == 0 and "nothing changed" in done.stderr
    assert not [finding for finding in look(layout).values() if finding.remedy]


def test_a_missing_manifest_needs_no_remedy_because_dagster_writes_it(warehouse: Path) -> None:
    layout = Layout(warehouse)
    (layout.dbt_target / "manifest.json").unlink()
    assert not look(layout)["dbt manifest"].remedy


UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
"""Start of a command that obeys the permissions of files, which root does not."""


@pytest.mark.skipif(bool(UNPRIVILEGED) and shutil.which("setpriv") is None, reason="no setpriv on this machine")
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_store_of_dagster_in_a_read_only_folder_is_not_called_damaged(tmp_path: Path, journal: str) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", "")
        store = prepare_home(Layout(tmp_path)) / "history" / "runs.db"
        store.parent.mkdir(exist_ok=True)
        with sqlite3.connect(store) as connection:
            connection.execute(f"pragma journal_mode={journal}")
            connection.execute("create table t as select 1 as x")
        connection.close()
        store.chmod(0o444)
        store.parent.chmod(0o555)
        code = f"import sys; from {__name__} import *; print(doctor.dagster_home(Layout(Path(sys.argv[1]))))"
        command = [*UNPRIVILEGED, sys.executable, "-c", code, str(tmp_path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        finally:
            store.parent.chmod(0o755)
    assert "move" not in done.stdout
    if journal == "wal":  # such a store is read with files beside it
        assert f"{store}: attempt to write" in done.stdout or f"{store}: unable to open" in done.stdout
        assert f"give this user the right to write in {store.parent}" in done.stdout
    else:
        assert "stores can be read" in done.stdout


@pytest.mark.exhaustive
def test_a_refresh_repairs_what_it_writes_and_publishes_again(warehouse: Path) -> None:
    layout = Layout(warehouse)
    for path in (
        *(layout.run, layout.indicators, layout.source_health, layout.observation_columns, layout.current_publication),
        *(layout.rejects / "none.parquet", layout.confirmations("none") / "none.parquet"),
        layout.landing / "archive.sha256",
    ):
        path.write_bytes(b"\xff damaged")
    content = layout.published.read_bytes()
    assert look(layout)["tables"].remedy and look(layout)["publication"].remedy
    assert run_carec("refresh", "--as-of", AS_OF, warehouse=warehouse).returncode == 0
    damaged = bytearray(content)
    damaged[len(damaged) // 2] ^= 1
    layout.published.write_bytes(bytes(damaged))
    done = run_carec("refresh", "--as-of", AS_OF, warehouse=warehouse)
    assert done.returncode == 0 and "published again" in done.stderr and "nothing changed" not in done.stderr
    assert layout.published.read_bytes() == content
    assert not [finding for finding in look(layout).values() if finding.remedy]


@pytest.mark.exhaustive
def test_a_truncated_manifest_is_written_again_when_it_is_needed(warehouse: Path) -> None:
    from pipelines.dbt import runner
    from pipelines.settings import load_settings
    from pipelines.workspace import open_workspace

    layout = Layout(warehouse)
    half_manifest(layout)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CAREC_WAREHOUSE", str(warehouse))
        written = runner.manifest(open_workspace(load_settings(warehouse=warehouse, offline=True)))
    assert len(json.loads(written.read_bytes())["nodes"]) > 100


def test_a_package_of_another_version_than_the_lock_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert doctor.environment(ROOT / "requirements.lock").remedy is None
    lock.write_text(text.replace("\nduckdb==1.5.5 ", "\nduckdb==1.5.4 ") + "\nno-such-package==1 \\\n")
    found = doctor.environment(lock)
    assert "duckdb 1.5.5, the lock has 1.5.4" in found.finding and "no-such-package not installed" in found.finding
    assert "make" in str(found.remedy)


def test_a_disk_that_is_nearly_full_is_reported(published_warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 10**7, 10**7))
    found = doctor.disk(Layout(published_warehouse))
    assert "10 MiB free" in found.finding and str(published_warehouse) in str(found.remedy)


def test_a_running_refresh_is_not_reported_as_interrupted(warehouse: Path) -> None:
    layout = Layout(warehouse)
    half_copy(layout)
    with exclusive(layout.lock):
        found = look(layout)["leftovers"]
    assert found.remedy is None and f"process {os.getpid()}" in found.finding


def test_a_misspelt_setting_is_reported(published_warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREC_OFLINE", "1")
    assert "CAREC_OFLINE" in doctor.settings().finding


def test_the_check_of_a_large_raw_store_has_a_time_limit(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(warehouse)
    for number in range(3):
        raw.store(layout, f"body {number}".encode(), {})
    monkeypatch.setattr(doctor, "RAW_BUDGET_S", -1.0)
    assert "3 older bodies not read" in doctor.raw_bodies(layout).finding
