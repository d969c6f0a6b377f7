"""Damage to every kind of stored file, five ways each: ``carec doctor`` names the file, or readers read the same."""

from __future__ import annotations

import gzip
import random
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.cli import doctor, stored_files
from pipelines.cli.diagnosis import Diagnosis
from pipelines.orchestration.instance import prepare_home
from pipelines.source_tables import HEALTH
from tests.unit.test_observation import records
from warehouse import confirmations, journal, kept, landing, raw, refused_codes
from warehouse.files import write_table
from warehouse.layout import Layout
from warehouse.publish import NEVER_EMPTY, Receipt, publish, seal, write_receipt

DAY, NEXT = datetime(2026, 11, 23, 12), datetime(2026, 11, 24, 12)
ID, ADDRESS = "internet_users_pct", "https://provider.test/figures"
RUN = {"started_at": DAY, "indicator_ids": [ID], "window": {}, "accept_shrink": False, "exchanges": [], "files": {}}
RETRIEVED = {"url": ADDRESS, "status": 200, "headers": {"ETag": "1"}, "provider": "p", "retrieved_at": DAY}


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content) - 1)]


def zeros(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + bytes(len(content[start : start + 64])) + content[start + 64 :]


def flipped(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(3):
        damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def emptied(content: bytes, chance: random.Random) -> bytes:
    return b""


def replaced(content: bytes, chance: random.Random) -> bytes:
    return b'["\xff other content"]\n'


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (cut, zeros, flipped, emptied, replaced)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A small warehouse with every kind of file, as the project writes them."""
    layout = Layout(tmp_path_factory.mktemp("damaged"))
    figures = records(*(("KAZ", 2000 + year, 10.0 + year) for year in range(25)))
    landing.land(layout, ID, figures, DAY)
    landing.write_columns(layout, figures.clear())
    confirmations.record(layout, figures, figures, DAY)
    rejected = pl.DataFrame({"reason": ["no number"], "raw_record": ["KAZ,2020,x"], "retrieved_at": [DAY]})
    landing.log_rejects(layout, ID, rejected)
    write_table(layout.indicators, pl.DataFrame({"indicator_id": [ID], "valid_min": [0.0]}))
    write_table(layout.source_health, pl.DataFrame({"indicator_id": [ID], "outcome": ["ok"]}, schema_overrides=_HEALTH))
    write_table(layout.run, pl.DataFrame({"as_of": [DAY.date()]}))
    sha256 = raw.store(layout, b"a provider's answer" * 100, RETRIEVED)
    raw.store(layout, b"a provider's answer" * 100, RETRIEVED)
    raw.save_last_response(layout, ADDRESS, sha256, ADDRESS, {"ETag": "1"}, DAY)
    journal.write(layout, DAY, RUN)
    refused_codes.write(layout, [dict.fromkeys(refused_codes.FIELDS, "x")])
    with duckdb.connect(str(layout.build)) as build:
        for table in NEVER_EMPTY:
            build.execute(
                f"create table {table} as select range as x, timestamp '2026-07-01' as vintage_at, 'i' as indicator_id,"
                " null::timestamp as confirmed_at from range(5000)"
            )
    write_receipt(layout, Receipt("m", "2026-11-23", True, "2026-11-23T12:00:00", None, seal(layout)))
    publish(layout, DAY)
    publish(layout, NEXT)
    home = prepare_home(layout)
    with sqlite3.connect(home / "runs.db") as store:
        store.execute("create table runs as select 1 as x")
    store.close()
    return layout


_HEALTH = {name: kind for name, kind in HEALTH.items() if name in ("indicator_id", "outcome")}

KINDS: dict[str, tuple[Callable[[Layout], Path], Callable[[Layout], Diagnosis]]] = {
    "vintage": (lambda at: one(at.vintages(ID), "*.parquet"), stored_files.vintages),
    "confirmation": (lambda at: one(at.confirmations(ID), "*.parquet"), stored_files.tables),
    "rejects": (lambda at: one(at.rejects, "*.parquet"), stored_files.tables),
    "catalogue table": (lambda at: at.indicators, stored_files.tables),
    "source_health": (lambda at: at.source_health, stored_files.tables),
    "run table": (lambda at: at.run, stored_files.tables),
    "columns": (lambda at: at.observation_columns, stored_files.tables),
    "body": (lambda at: one(at.raw, "??/*.gz"), doctor.raw_bodies),
    "retrieval record": (lambda at: one(at.raw, "??/*.jsonl"), doctor.raw_bodies),
    "last response": (lambda at: one(at.raw, "last/*/*.json"), doctor.raw_bodies),
    "journal": (lambda at: one(at.journal, "*.json"), stored_files.journal_records),
    "refused codes": (lambda at: at.refused_codes, stored_files.tables),
    "published file": (lambda at: at.published, stored_files.publication),
    "current kept file": (lambda at: kept.kept(at)[-1].path, stored_files.kept_publications),
    "earlier kept file": (lambda at: kept.kept(at)[0].path, stored_files.kept_publications),
    "hash of a kept file": (lambda at: kept.kept(at)[0].record, stored_files.kept_publications),
    "name of the current one": (lambda at: at.current_publication, stored_files.publication),
    "build": (lambda at: at.build, lambda at: first_fault(*doctor.leftover_files(at), doctor.build(at))),
    "receipt": (lambda at: at.receipt, doctor.build),
    "Dagster's store": (lambda at: at.dagster_home / "runs.db", doctor.dagster_home),
    "Dagster's settings": (lambda at: at.dagster_home / "dagster.yaml", doctor.dagster_home),
}
"""Kind of file -> how to find it, and the check that reads it."""


def first_fault(*found: Diagnosis) -> Diagnosis:
    return next((one for one in found if one.remedy), found[-1])


def one(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


def meaning(path: Path) -> object:
    """Return what readers read of a file, whose form may have bytes without a meaning; None if it cannot be read."""
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path).rows()
        if path.suffix == ".sha256":
            return path.read_bytes()[:64]
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except Exception:
        return None


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_reported_with_file_and_remedy_or_changes_nothing(layout: Layout, kind: str, way: object) -> None:
    find, check = KINDS[kind]
    path, sound = find(layout), check(layout)
    assert sound.remedy is None, sound
    content, read, mode = path.read_bytes(), meaning(path), path.stat().st_mode
    assert callable(way)
    path.chmod(0o644)
    try:
        for seed in range(3):
            path.write_bytes(way(content, random.Random(f"{kind} {seed}")))
            found = check(layout)
            unharmed = meaning(path) == read
            undecided = path.name in UNSEALED and way in (flipped, zeros, cut)
            assert found.remedy or unharmed or undecided, (kind, way, seed)
            if found.remedy:
                named = path.name if kind != "published file" else "carec.duckdb"
                assert named in found.finding + found.remedy, found
    finally:
        path.write_bytes(content)
        path.chmod(mode)


UNSEALED = ("runs.db", "dagster.yaml", "build.json", "refused_codes.json")
"""Files that other programs write, or that the next refresh writes again: a value that changed is not found."""
