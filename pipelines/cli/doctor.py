"""``carec doctor``: whether this installation and its warehouse are sound, and what to do where they are not.

Belongs here: looking, and naming the remedy; no provider is asked. Does not belong here: mending. A refresh clears what
an interrupted one left (``warehouse.recovery``), everything else is a person's to decide.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import typer
import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import FormatOption, command_app, progress_line
from pipelines.orchestration.instance import TEMPLATE
from pipelines.settings import PROJECT, load_settings, unknown_settings, with_base_urls
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError
from warehouse import landing, raw
from warehouse.files import Busy, exclusive
from warehouse.layout import Layout
from warehouse.publish import NEVER_EMPTY, published, read_receipt
from warehouse.recovery import leftovers

app = command_app()

COLUMNS = ("check", "status", "finding", "remedy")
SHOWN = 3
"""Names that a finding gives before it only counts."""
RAW_BUDGET_S = 20.0
"""How long raw bodies are read before the rest is only counted."""
SPARE_BYTES = 500 * 2**20
"""Free space that a refresh should find beside room for three more copies of the build."""


@app.command()
def doctor(fmt: FormatOption = Format.TABLE) -> None:
    """Whether installation and warehouse are sound; what to do where they are not: exit 1 where something is."""
    with progress_line() as progress:
        findings = diagnose(progress)
    show(COLUMNS, [finding.row for finding in findings], fmt)
    if any(finding.remedy for finding in findings):
        raise typer.Exit(1)


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at. ``remedy`` is None where nothing needs doing."""

    check: str
    finding: str
    remedy: str | None = None

    @property
    def row(self) -> tuple[str, str, str, str | None]:
        return self.check, "attention" if self.remedy else "ok", self.finding, self.remedy


def examine(layout: Layout, project: Path = PROJECT) -> Iterator[Diagnosis]:
    """Look at everything, in the order in which a person would mend it. Ends within a minute, whatever it finds."""
    yield environment(project / "requirements.lock")
    yield settings()
    yield disk(layout)
    yield from files(layout)
    yield manifest(layout, project / "dbt_project")
    yield vintages(layout)
    yield publication(layout)
    yield build(layout)
    yield raw_bodies(layout)
    yield dagster_home(layout)


def environment(lock: Path) -> Diagnosis:
    """Every package of the lock is installed in the version that the lock names."""
    try:
        pins = _pins(lock)
    except (OSError, InvalidRequirement) as error:
        return Diagnosis("lock", f"{lock.name} cannot be read: {error}", "take it from the repository again")
    wrong = []
    for name, version in pins.items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            installed = "not installed"
        if installed != version:
            wrong.append(f"{name} {installed}, the lock has {version}")
    if wrong:
        return Diagnosis("lock", _listed(wrong), "rm .venv/.lock-installed && make .venv/.lock-installed")
    return Diagnosis("lock", f"{len(pins)} packages as the lock has them")


def _pins(lock: Path) -> dict[str, str]:
    """Package -> version, of those that this platform needs."""
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
        return Diagnosis("settings", str(error), "mend what is named")
    if unread := unknown_settings(catalogue):
        return Diagnosis("settings", f"nothing reads {_listed(unread)}", "correct the spelling, or remove them")
    return Diagnosis("settings", "every CAREC_ setting is known")


def disk(layout: Layout) -> Diagnosis:
    """Room for the build, its copy and what the copy replaces."""
    folder = next(path for path in (layout.root, *layout.root.parents) if path.is_dir())
    free = shutil.disk_usage(folder).free
    largest = max((path.stat().st_size for path in (layout.build, layout.published) if path.exists()), default=0)
    needed = 3 * largest + SPARE_BYTES
    said = f"{_size(free)} free, a refresh wants {_size(needed)}"
    return Diagnosis("disk space", said, f"free some space on the disk of {layout.root}" if free < needed else None)


def files(layout: Layout) -> Iterator[Diagnosis]:
    """Who holds the warehouse, and what an interrupted refresh left in it."""
    if not layout.root.is_dir():
        yield Diagnosis("leftovers", f"there is no {layout.root} yet", "carec refresh")
        return
    if not layout.lock.exists():  # never held: looking must not make the file
        yield _leftovers(layout)
        return
    try:
        with exclusive(layout.lock):
            finding = _leftovers(layout)
    except Busy as holder:
        finding = Diagnosis("leftovers", f"a refresh is running ({holder}): not looked for")
    except OSError as error:
        finding = Diagnosis("leftovers", str(error), f"give this user the right to write in {layout.root}")
    yield finding


def _leftovers(layout: Layout) -> Diagnosis:
    found = leftovers(layout)
    if found:
        names = _listed([str(path.relative_to(layout.root)) for path in found])
        return Diagnosis("leftovers", f"an interrupted refresh left {names}", "carec refresh (it clears them first)")
    return Diagnosis("leftovers", "no refresh is running, none left anything behind")


def manifest(layout: Layout, project: Path) -> Diagnosis:
    """dbt's manifest can be read, and is of this dbt and this project."""
    path, remedy = layout.dbt_target / "manifest.json", "carec ui or carec refresh writes it anew"
    try:
        version = json.loads(path.read_bytes())["metadata"]["dbt_version"]
    except FileNotFoundError:
        return Diagnosis("dbt manifest", "there is none yet", "carec refresh")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Diagnosis("dbt manifest", f"{path} cannot be read: {error}", f"rm {path}; {remedy}")
    installed = importlib.metadata.version("dbt-core")
    if version != installed:
        return Diagnosis("dbt manifest", f"written by dbt {version}, installed is {installed}", f"rm {path}; {remedy}")
    newest = max((p.stat().st_mtime for p in project.rglob("*") if p.suffix in {".sql", ".yml"}), default=0.0)
    if path.stat().st_mtime < newest:
        return Diagnosis("dbt manifest", "older than the dbt project", remedy)
    return Diagnosis("dbt manifest", f"of dbt {version}, as new as the project")


def vintages(layout: Layout) -> Diagnosis:
    """Every landed vintage holds the figures that its name vouches for."""
    damaged, count = [], 0
    for folder in sorted((layout.landing / "observations").glob("*")):
        for vintage in landing.vintages(layout, folder.name):
            count += 1
            try:
                sound = landing.content_hash(vintage.read()) == vintage.content_hash
            except (OSError, pl.exceptions.PolarsError):
                sound = False
            if not sound:
                damaged.append(str(vintage.path.relative_to(layout.root)))
    if damaged:
        return Diagnosis(
            "landing",
            f"damaged: {_listed(damaged)}",
            "restore the files from a backup, or `carec replay --write` lands every recorded run again",
        )
    if not count:
        return Diagnosis("landing", "nothing has landed yet", "carec refresh")
    return Diagnosis("landing", f"{count} vintages, each with the figures of its hash")


def publication(layout: Layout) -> Diagnosis:
    """The published file opens, says what it is, and lacks no table that users need."""
    if not layout.published.exists():
        return Diagnosis("publication", "nothing is published yet", "carec refresh")
    standing, remedy = published(layout), f"rm {layout.published} && carec refresh"
    if standing is None:
        return Diagnosis("publication", f"{layout.published} is no publication", remedy)
    try:
        with duckdb.connect(str(layout.published), read_only=True) as connection:
            empty = [t for t in NEVER_EMPTY if not connection.execute(f"select 1 from {t} limit 1").fetchone()]
    except duckdb.Error as error:
        return Diagnosis("publication", f"{layout.published}: {error}", remedy)
    if empty:
        return Diagnosis("publication", f"nothing in {_listed(empty)}", remedy)
    return Diagnosis("publication", f"{standing.observations:,} observations, as of {standing.as_of}")


def build(layout: Layout) -> Diagnosis:
    """The newest build passed its checks. One that was interrupted is among the leftovers."""
    receipt = read_receipt(layout)
    if receipt is None:
        if layout.receipt.exists():
            return Diagnosis("build", f"{layout.receipt} cannot be read", f"rm {layout.receipt} && carec refresh")
        return Diagnosis("build", "none is kept")
    if not receipt.passed:
        first = (receipt.reason or "no reason was kept").splitlines()[0]
        return Diagnosis(
            "build", f"not published: {first}", "carec refresh says which checks, which rows, where to mend"
        )
    if not layout.build.exists():
        return Diagnosis("build", f"{layout.build.name} is gone, its receipt stands", f"rm {layout.receipt}")
    return Diagnosis("build", f"passed its checks at {receipt.built_at[:16]} UTC")


def raw_bodies(layout: Layout) -> Diagnosis:
    """The bodies in the raw store, newest first, still have the hash that names them."""
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
    if damaged:
        return Diagnosis(
            "raw store",
            f"damaged: {_listed(damaged)}",
            "restore them from a backup; without one, remove them: they are asked for anew, and `carec replay` names"
            " the runs that can no longer be repeated",
        )
    unread = f"; {len(bodies) - read} older ones not read within {RAW_BUDGET_S:.0f} s" if read < len(bodies) else ""
    return Diagnosis("raw store", f"{read} bodies with the bytes of their hash{unread}")


def dagster_home(layout: Layout) -> Diagnosis:
    """The instance's settings can be read, and so can the files that it keeps; a server is for its own tools."""
    home = layout.dagster_home
    if not home.exists():
        return Diagnosis("dagster", "the pages were not used yet")
    try:
        if not isinstance(yaml.safe_load((home / TEMPLATE.name).read_text(encoding="utf-8")), dict):
            raise ValueError("settings are expected")
    except (OSError, ValueError, yaml.YAMLError) as error:
        remedy = f"rm {home / TEMPLATE.name}; the next run writes the project's own"
        return Diagnosis("dagster", f"{home / TEMPLATE.name} cannot be used: {_one_line(error)}", remedy)
    stores = sorted(home.rglob("*.db"))
    for store in stores:
        try:
            with sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=5) as connection:
                (said,) = connection.execute("pragma quick_check(1)").fetchone()
        except sqlite3.Error as error:
            said = str(error)
        if said != "ok":
            remedy = f"stop the pages, move {store} away: only the history of runs is in it, no figures"
            return Diagnosis("dagster", f"{store}: {_one_line(said)}", remedy)
    return Diagnosis("dagster", f"settings and {len(stores)} stores can be read")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _one_line(said: object) -> str:
    return " ".join(str(said).split())


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def diagnose(progress: Callable[[str], None]) -> list[Diagnosis]:
    """Everything about the warehouse that the settings name."""
    findings = []
    for finding in examine(Layout(load_settings().warehouse)):
        progress(f"looked at: {finding.check}")
        findings.append(finding)
    return findings
