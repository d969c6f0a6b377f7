"""The command ``doctor``: checks of the installation and the warehouse, each problem with its remedy.

Belongs here: the checks; they send no request. Does not belong here: repairs. A refresh removes the files of an
interrupted one (``warehouse.recovery``); everything else is the operator's decision.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import click
import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pipelines.cli.diagnosis import Diagnosis, one_line, size
from pipelines.cli.stored_files import (
    journal_records,
    kept_publications,
    publication,
    tables,
    vintages,
)
from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import format_option, progress_line
from pipelines.lake import chosen_lake
from pipelines.orchestration.instance import TEMPLATE
from pipelines.settings import PROJECT, load_settings, unknown_settings, with_base_urls
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError, listed
from warehouse import raw
from warehouse.files import Busy, exclusive
from warehouse.layout import Layout
from warehouse.publish import has_built_bytes, read_receipt
from warehouse.reading import opens
from warehouse.recovery import leftovers

RAW_BUDGET_S = 20.0
"""Seconds for reading raw bodies; the rest is only counted."""
COLUMNS = ("check", "status", "finding", "remedy")
SPARE_BYTES = 500 * 2**20
"""Free space that a refresh needs in addition to three copies of the build."""


@click.command()
@format_option
def doctor(fmt: Format) -> None:
    """Check the installation and the warehouse; print a remedy for each problem. Exit 1 if there is one."""
    findings = []
    with progress_line() as progress:
        for finding in examine(Layout(load_settings().warehouse)):
            progress(f"checked: {finding.check}")
            findings.append(finding)
    show(COLUMNS, [finding.row for finding in findings], fmt)
    if any(finding.remedy for finding in findings):
        raise click.exceptions.Exit(1)


def examine(layout: Layout, project: Path = PROJECT) -> Iterator[Diagnosis]:
    """Yield the result of every check, in the order in which an operator should fix problems; takes under a minute."""
    yield environment(project / "requirements.lock")
    yield settings()
    yield disk(layout)
    yield from leftover_files(layout)
    if load_settings().lake and not layout.published.exists() and not layout.landing.exists():
        yield Diagnosis("warehouse", "nothing was built here: commands read the lake")
    else:
        yield manifest(layout, project / "dbt_project")
        yield vintages(layout)
        yield tables(layout)
        yield publication(layout)
    yield kept_publications(layout)
    yield build(layout)
    yield raw_bodies(layout)
    yield journal_records(layout)
    yield dagster_home(layout)
    yield from lake()


def lake() -> Iterator[Diagnosis]:
    """Check every part of the lake, if there is one in the settings."""
    try:
        chosen = chosen_lake(load_settings())
    except ConfigurationError as error:
        yield Diagnosis("lake", str(error), "correct the setting (docs/lake.md)")
        return
    if chosen is None:
        return
    from warehouse.lake.maintenance import examine as examine_lake  # what only a lake needs

    for check, passed, finding in examine_lake(chosen):
        yield Diagnosis(f"lake: {check}", finding, None if passed else "docs/lake.md names the settings and commands")


def environment(lock: Path) -> Diagnosis:
    """Check that every package of the lock is installed in its locked version."""
    try:
        pins = _pins(lock)
    except (OSError, InvalidRequirement) as error:
        return Diagnosis("lock", f"{lock.name} cannot be read: {error}", "restore it from the repository")
    wrong = []
    for name, version in pins.items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            installed = "not installed"
        if installed != version:
            wrong.append(f"{name} {installed}, the lock has {version}")
    if wrong:
        return Diagnosis("lock", listed(wrong), "rm .venv/.lock-installed && make .venv/.lock-installed")
    return Diagnosis("lock", f"{len(pins)} packages as in the lock")


def _pins(lock: Path) -> dict[str, str]:
    """Return package -> version for the packages that this platform needs."""
    pins: dict[str, str] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.removesuffix("\\").strip())
            if requirement.marker is None or requirement.marker.evaluate():
                (version,) = (specifier.version for specifier in requirement.specifier)
                pins[canonicalize_name(requirement.name)] = version
    return pins


def settings() -> Diagnosis:
    try:
        catalogue = with_base_urls(load_catalogue())
    except ConfigurationError as error:
        return Diagnosis("settings", str(error), "correct the setting that is named")
    if unread := unknown_settings(catalogue):
        return Diagnosis("settings", f"nothing reads {listed(unread)}", "correct the spelling, or remove them")
    return Diagnosis("settings", "every CAREC_ setting is known")


def disk(layout: Layout) -> Diagnosis:
    """Check the space for the build, its copy, and the publication that the copy replaces."""
    folder = next(path for path in (layout.root, *layout.root.parents) if path.is_dir())
    free = shutil.disk_usage(folder).free
    largest = max((path.stat().st_size for path in (layout.build, layout.published) if path.exists()), default=0)
    needed = 3 * largest + SPARE_BYTES
    found = f"{size(free)} free, a refresh needs {size(needed)}"
    return Diagnosis("disk space", found, f"free some space on the disk of {layout.root}" if free < needed else None)


def leftover_files(layout: Layout) -> Iterator[Diagnosis]:
    """Check whether a refresh is running now, and whether an interrupted refresh left temporary files behind."""
    if not layout.root.is_dir():
        yield Diagnosis("leftovers", f"{layout.root} does not exist yet", "carec refresh")
        return
    if not layout.lock.exists():  # never locked: a check must not create the file
        yield _leftovers(layout)
        return
    try:
        with exclusive(layout.lock):
            finding = _leftovers(layout)
    except Busy as holder:
        finding = Diagnosis("leftovers", f"a refresh is running ({holder}): not checked")
    except OSError as error:
        finding = Diagnosis("leftovers", str(error), f"give this user the right to write in {layout.root}")
    yield finding


def _leftovers(layout: Layout) -> Diagnosis:
    found = leftovers(layout)
    if found:
        names = listed([str(path.relative_to(layout.root)) for path in found])
        return Diagnosis("leftovers", f"an interrupted refresh left {names}", "carec refresh (it removes them first)")
    return Diagnosis("leftovers", "no refresh is running; no files are left over")


def manifest(layout: Layout, project: Path) -> Diagnosis:
    """Check that dbt's manifest can be read and is of this dbt version. Dagster replaces one that is out of date."""
    path, again = layout.dbt_target / "manifest.json", "it is written when it is needed"
    try:
        version = json.loads(path.read_bytes())["metadata"]["dbt_version"]
    except FileNotFoundError:
        return Diagnosis("dbt manifest", f"no manifest: {again}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Diagnosis("dbt manifest", f"{path} cannot be read: {error}", f"rm {path}; {again}")
    installed = importlib.metadata.version("dbt-core")
    if version != installed:
        return Diagnosis("dbt manifest", f"written by dbt {version}, installed is {installed}", f"rm {path}; {again}")
    newest = max((p.stat().st_mtime for p in project.rglob("*") if p.suffix in {".sql", ".yml", ".md"}), default=0.0)
    if path.stat().st_mtime < newest:
        return Diagnosis("dbt manifest", f"older than the dbt project: {again}")
    return Diagnosis("dbt manifest", f"of dbt {version}, not older than the project")


def build(layout: Layout) -> Diagnosis:
    """Check that the newest build passed its checks. An interrupted build is found by the check of leftovers."""
    receipt = read_receipt(layout)
    if receipt is None:
        if layout.receipt.exists():
            return Diagnosis("build", f"{layout.receipt} cannot be read", f"rm {layout.receipt} && carec refresh")
        return Diagnosis("build", "no build is kept")
    if not receipt.passed:
        first = (receipt.reason or "no reason was kept").splitlines()[0]
        return Diagnosis(
            "build",
            f"not published: {first}",
            "carec refresh prints the failed checks, their rows, and the file to correct",
        )
    if not layout.build.exists():
        return Diagnosis("build", f"{layout.build.name} is missing, but its receipt exists", f"rm {layout.receipt}")
    if not has_built_bytes(layout) and opens(layout.build):
        finding = f"{layout.build} was changed after its checks"
        return Diagnosis(
            "build", finding, f"rm {layout.receipt} && carec refresh (the next build starts with a new file)"
        )
    return Diagnosis("build", f"passed its checks at {receipt.built_at[:16]} UTC")


def raw_bodies(layout: Layout) -> Diagnosis:
    """Check the bodies in the raw store, newest first, against the hash in their name."""
    bodies = sorted(layout.raw.glob("[0-9a-f][0-9a-f]/*.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    damaged, read, ends = [], 0, time.monotonic() + RAW_BUDGET_S
    for path in bodies:
        if time.monotonic() > ends:
            break
        read += 1
        try:
            raw.load(layout, path.stem)
        except (OSError, ValueError):
            damaged.append(str(path.relative_to(layout.root)))
    if records := raw.faults(layout):
        remedy = (
            "restore them from a backup; without one, remove the line or file: a body is sound without its record,"
            " and is requested in full"
        )
        return Diagnosis("raw store", f"damaged records: {listed(records)}", remedy)
    if damaged:
        return Diagnosis(
            "raw store",
            f"damaged: {listed(damaged)}",
            "restore them from a backup; without one, remove them: they are requested again, and `carec replay` names"
            " the runs that can no longer be repeated",
        )
    unread = f"; {len(bodies) - read} older bodies not read within {RAW_BUDGET_S:.0f} s" if read < len(bodies) else ""
    return Diagnosis("raw store", f"{read} bodies have the bytes of their hash{unread}")


def dagster_home(layout: Layout) -> Diagnosis:
    """Check that Dagster's settings and files can be read. A database server is not checked."""
    home = layout.dagster_home
    if not home.exists():
        return Diagnosis("dagster", "Dagster was not used yet")
    try:
        if not isinstance(yaml.safe_load((home / TEMPLATE.name).read_text(encoding="utf-8")), dict):
            raise ValueError("settings are expected")
    except (OSError, ValueError, yaml.YAMLError) as error:
        remedy = f"rm {home / TEMPLATE.name}; the next run writes the project's own"
        return Diagnosis("dagster", f"{home / TEMPLATE.name} cannot be used: {one_line(error)}", remedy)
    stores = sorted(home.rglob("*.db"))
    for store in stores:
        remedy = f"stop Dagster and move {store} away: it contains the history of runs, no figures"
        try:
            with sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True, timeout=5) as connection:
                (answer,) = connection.execute("pragma integrity_check(1)").fetchone()
                if not connection.execute("select count(*) from sqlite_master").fetchone()[0]:
                    answer = "it has no tables"
        except sqlite3.Error as error:
            answer = str(error)
            # to read a store that has a log, SQLite writes files beside it
            refused = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
            if refused and not os.access(store.parent, os.W_OK):
                remedy = f"give this user the right to write in {store.parent}"
        if answer != "ok":
            return Diagnosis("dagster", f"{store}: {one_line(answer)}", remedy)
    return Diagnosis("dagster", f"settings and {len(stores)} stores can be read")
