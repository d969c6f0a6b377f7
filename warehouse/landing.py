"""Landed observations: one file per vintage of a series. A file is written when figures change and never overwritten.

Belongs here: vintages, what changed between two of them, and the files of rejected records. Does not belong here:
whether a figure may be used (``pipelines.quality_gates``), scores.

``landing/observations/<indicator>/<vintage time>_<content hash>.parquet`` holds a vintage: the observation columns and
``vintage_at``. The hash in the name covers (iso3, year, value) and flags, so no file is read to find "unchanged".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import polars as pl

from warehouse import confirmations
from warehouse.errors import Unreadable
from warehouse.files import WriteTable, table_fault, write_table
from warehouse.layout import Layout

FLAGGED = "flagged"
"""The ``figure_origin`` of a figure that an entry of ``corrections.yml`` calls doubtful."""

RETAINED = "retained"
"""The ``figure_origin`` of a figure that stays because its newest record was rejected."""

_FORMER_STATUS = {
    "older_vintage": "carried_over",
    "kept_from_last_vintage": "retained",
    "corrected": "corrected",
}
_FORMER_FLAG = "flagged: "
"""Vintages written before ``figure_origin`` existed have these words in ``obs_status``, or a flag with its reason.

``int_landed`` reads the same files and applies the same rule in SQL; a test compares the two.
"""

NEVER = datetime(1900, 1, 1)
"""The date of the empty vintage of an indicator without any figure."""

_KEY = ["iso3", "year"]


class Landing(StrEnum):
    NEW = "new"
    UNCHANGED = "unchanged"
    HELD_BACK = "held_back"


@dataclass(frozen=True)
class LandedVintage:
    """One landed vintage. The file name gives every field."""

    indicator_id: str
    vintage_at: datetime
    content_hash: str
    path: Path

    def read(self) -> pl.DataFrame:
        """Return the figures: the observation columns and ``vintage_at``."""
        return read_rows(self.path)


@dataclass(frozen=True)
class Landed:
    """Result of landing a series: the vintage in use, and the country-years revised, added and withdrawn in it.

    ``reason`` says why a series was not used.
    """

    status: Landing
    vintage: LandedVintage | None
    revised: int = 0
    added: int = 0
    withdrawn: int = 0
    reason: str | None = None


def same_figures(one: Path, other: Path) -> bool:
    """Return whether two files of vintages or rejects have the same rows, in any order and in either format."""
    first, second = read_rows(one), read_rows(other)
    if set(first.columns) != set(second.columns):
        return False
    return first.sort(first.columns).equals(second.select(first.columns).sort(first.columns))


def read_rows(path: Path) -> pl.DataFrame:
    """Return the rows of a file of vintages or rejects, those of the former format with the present columns.

    Raises:
        Unreadable: The file is damaged.
    """
    try:
        figures = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise Unreadable(
            f"{path} is damaged ({str(error).partition(chr(10))[0]}): restore it from a backup, or remove it, and"
            " `carec replay --write` lands the recorded runs again"
        ) from error
    former = "obs_status" in figures.columns and "figure_origin" not in figures.columns
    return _with_figure_origin(figures) if former else figures


def _with_figure_origin(figures: pl.DataFrame) -> pl.DataFrame:
    """Return the figures of a file in the former format with ``figure_origin`` and ``figure_note``."""
    status = pl.col("obs_status")
    flagged = status.str.starts_with(_FORMER_FLAG).fill_null(False)
    origin = pl.when(flagged).then(pl.lit(FLAGGED)).otherwise(status.replace_strict(_FORMER_STATUS, default=None))
    return figures.select(
        pl.exclude("vintage_at", "obs_status"),
        pl.when(origin.is_null()).then(status).alias("obs_status"),
        origin.alias("figure_origin"),
        pl.when(flagged).then(status.str.strip_prefix(_FORMER_FLAG)).alias("figure_note"),
        "vintage_at",
    )


def content_hash(observations: pl.DataFrame) -> str:
    """Return 16 hex digits of the sha256 over (iso3, year, value) in key order and the flagged and retained figures."""
    table = observations.select(*_KEY, "value").sort(_KEY)
    digest = hashlib.sha256(table.write_csv().encode())
    # The former format's text of a flag keeps the hash of an unchanged series the same.
    flagged = pl.col("figure_origin") == FLAGGED
    text = pl.when(flagged).then(pl.lit(_FORMER_FLAG) + pl.col("figure_note")).otherwise("figure_origin")
    flags = observations.filter(flagged | (pl.col("figure_origin") == RETAINED))
    if flags.height:
        digest.update(flags.sort(_KEY).select(*_KEY, obs_status=text).write_csv().encode())
    return digest.hexdigest()[:16]


def vintages(layout: Layout, indicator_id: str) -> list[LandedVintage]:
    """Return the landed vintages of an indicator, oldest first."""
    return [_vintage(indicator_id, path) for path in _files(layout, indicator_id)]


def latest(layout: Layout, indicator_id: str) -> LandedVintage | None:
    """Return the newest vintage with any figure, None if there is no such vintage."""
    newest_first = (_vintage(indicator_id, path) for path in reversed(_files(layout, indicator_id)))
    return next((vintage for vintage in newest_first if vintage.vintage_at > NEVER), None)


def _files(layout: Layout, indicator_id: str) -> list[Path]:
    return sorted(layout.vintages(indicator_id).glob("[0-9]*.parquet"))


def _vintage(indicator_id: str, path: Path) -> LandedVintage:
    stamp, digest = path.stem.split("_")
    return LandedVintage(indicator_id, datetime.strptime(stamp, "%Y%m%dT%H%M%S%f"), digest, path)


def _write(
    layout: Layout,
    indicator_id: str,
    observations: pl.DataFrame,
    vintage_at: datetime,
    digest: str,
    write: WriteTable = write_table,
) -> LandedVintage:
    path = layout.vintages(indicator_id) / f"{vintage_at:%Y%m%dT%H%M%S%f}_{digest}.parquet"
    dated = pl.lit(vintage_at).cast(pl.Datetime("us")).alias("vintage_at")
    write(path, observations.sort(_KEY).with_columns(dated))
    return LandedVintage(indicator_id, vintage_at, digest, path)


def write_columns(layout: Layout, empty: pl.DataFrame) -> None:
    """Write the file without rows from which dbt reads the columns of a vintage, if it is missing or out of date."""
    path = layout.observation_columns
    if table_fault(path) or pl.read_parquet_schema(path).keys() != {*empty.columns, "vintage_at"}:
        write_table(layout.observation_columns, empty.with_columns(vintage_at=pl.lit(None, dtype=pl.Datetime("us"))))


def ensure_folder(layout: Layout, indicator_id: str, empty: pl.DataFrame) -> None:
    """Write an empty vintage dated ``NEVER`` for an indicator without any, so that its table exists for SQL."""
    if not vintages(layout, indicator_id):
        _write(layout, indicator_id, empty, NEVER, content_hash(empty))


def land_history(layout: Layout, indicator_id: str, observations: pl.DataFrame, vintage_at: datetime) -> LandedVintage:
    """Write a vintage of the bundled archive at its own date, unless its figures are landed already.

    If the archive was corrected, both are kept, the correction as the newer one; so is a correction that is taken back.
    """
    digest = content_hash(observations)
    landed = vintages(layout, indicator_id)
    of_this_time: list[LandedVintage] = []
    for vintage in landed:
        if vintage.vintage_at == vintage_at:
            of_this_time.append(vintage)
            vintage_at += timedelta(microseconds=1)
    for known in of_this_time[-1:] or landed:
        if known.content_hash == digest:
            return known
    return _write(layout, indicator_id, observations, vintage_at, digest)


def land(
    layout: Layout,
    indicator_id: str,
    observations: pl.DataFrame,
    vintage_at: datetime,
    write: WriteTable = write_table,
) -> Landed:
    """Write a new vintage if its content differs from the last one.

    Args:
        layout: Paths of the warehouse.
        indicator_id: The indicator of all figures.
        observations: A complete series that passed the quality gates, columns ``OBSERVATION``.
        vintage_at: Time of the vintage (UTC). If the last vintage is not older, the new one is a microsecond later.
        write: Writes the file.

    Returns:
        The vintage in use, and the number of country-years that were revised, added and withdrawn.
    """
    previous = latest(layout, indicator_id)
    digest = content_hash(observations)
    if previous is None:
        return Landed(Landing.NEW, _write(layout, indicator_id, observations, vintage_at, digest, write))
    if previous.content_hash == digest:
        return Landed(Landing.UNCHANGED, previous)
    before, now = (frame.select(*_KEY, "value") for frame in (previous.read(), observations))
    both = before.join(now, on=_KEY, how="full", suffix="_now", coalesce=True)
    vintage_at = max(vintage_at, previous.vintage_at + timedelta(microseconds=1))
    return Landed(
        Landing.NEW,
        _write(layout, indicator_id, observations, vintage_at, digest, write),
        revised=both.filter(pl.col("value") != pl.col("value_now")).height,
        added=both.filter(pl.col("value").is_null()).height,
        withdrawn=both.filter(pl.col("value_now").is_null()).height,
    )


def log_rejects(layout: Layout, indicator_id: str, rejects: pl.DataFrame, write: WriteTable = write_table) -> None:
    """Write rejected records (columns ``REJECT``). The same records of the same body are written once."""
    identity = rejects.select(pl.exclude("retrieved_at")).sort("reason", "raw_record", nulls_last=True)
    digest = hashlib.sha256(identity.write_csv().encode()).hexdigest()[:16]
    path = layout.rejects / f"{indicator_id}_{digest}.parquet"
    if not path.exists():
        write(path, rejects)


def state(layout: Layout, indicator_ids: Iterable[str]) -> str:
    """Return a hash over all landed files that a build reads: vintages, rejects, confirmations and catalogue.

    Vintages without figures count for nothing: only a warehouse that did not begin with a copy has them.
    """
    digest = hashlib.sha256()
    for indicator_id in sorted(indicator_ids):
        for vintage in (each for each in vintages(layout, indicator_id) if each.vintage_at > NEVER):
            digest.update(f"{indicator_id}/{vintage.path.name}\n".encode())
    for path in sorted(layout.rejects.glob("*.parquet")):
        digest.update(f"{path.name}\n".encode())
    for name in confirmations.names(layout, sorted(indicator_ids)):
        digest.update(f"{name}\n".encode())
    digest.update(layout.indicators.read_bytes() if layout.indicators.exists() else b"")
    return digest.hexdigest()
