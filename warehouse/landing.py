"""Landed observations: one complete vintage of a series per file, written when its content changed, never overwritten.

Belongs here: vintages, what changed between two of them, the guards against a loss and a change of scale, the rejects.
Does not belong here: whether a single value is plausible (``sources.observation``), scores.

``landing/observations/<indicator>/<vintage time>_<content hash>.parquet`` holds a vintage: the observation columns and
``vintage_at``. The name carries the hash of (iso3, year, value) and of flags, so that "unchanged" costs no reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import polars as pl

from warehouse import confirmations
from warehouse.files import replacing, write_table
from warehouse.layout import Layout

SHRINK_LIMIT = 0.10
"""Share of the last vintage's country-years that a refresh may lose before a person has to look."""

SCALE_LIMIT = 20.0
"""How far the figures of one country-year may be apart in the median, as a factor either way, before a person has to
look. A percentage that comes as a share is 100 times smaller; a series of zeros is smaller than by any factor."""

POINT_MOVED = 0.005
"""How far the ratio of two figures may be from a power of ten, in powers of ten: what rounding makes of it."""

ENOUGH = 5
"""Figures of one year, from which on they are judged together: fewer say nothing of how a provider delivers."""

FLAGGED = "flagged"
"""The ``figure_origin`` of a figure that a person has doubts about (``sources.corrections``)."""

RETAINED = "retained"
"""The ``figure_origin`` of a figure whose newest record was rejected."""

_FORMER_STATUS = {
    "older_vintage": "carried_over",
    "kept_from_last_vintage": "retained",
    "corrected": "corrected",
}
_FORMER_FLAG = "flagged: "
"""Vintages written before ``figure_origin`` existed have it in ``obs_status``: these words, or a flag with its reason.

``int_landed`` reads the same files and has the same rule in SQL; a test compares the two.
"""

NEVER = datetime(1900, 1, 1)
"""The date of the empty vintage of an indicator for which no figure was ever had."""

_KEY = ["iso3", "year"]


class Landing(StrEnum):
    NEW = "new"
    UNCHANGED = "unchanged"
    HELD_BACK = "held_back"


@dataclass(frozen=True)
class Vintage:
    """One landed vintage, known from its file name alone."""

    indicator_id: str
    vintage_at: datetime
    content_hash: str
    path: Path

    def read(self) -> pl.DataFrame:
        """Returns the figures: the observation columns and ``vintage_at``."""
        return _read(self.path)


@dataclass(frozen=True)
class Landed:
    """What became of a candidate vintage: country-years revised, added and withdrawn against the one before."""

    status: Landing
    vintage: Vintage | None
    revised: int = 0
    added: int = 0
    withdrawn: int = 0
    reason: str | None = None


def same_figures(one: Path, other: Path) -> bool:
    """Returns whether two files of vintages hold the same figures, whichever format each was written in."""
    first, second = _read(one), _read(other)
    return first.equals(second.select(first.columns)) if set(first.columns) == set(second.columns) else False


def _read(path: Path) -> pl.DataFrame:
    figures = pl.read_parquet(path)
    return figures if "figure_origin" in figures.columns else _with_figure_origin(figures)


def _with_figure_origin(figures: pl.DataFrame) -> pl.DataFrame:
    """Returns the figures of a file of the former format with ``figure_origin`` and ``figure_note``."""
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
    """16 hex digits of the sha256 over (iso3, year, value) in key order, and over the figures flagged or retained."""
    table = observations.select(*_KEY, "value").sort(_KEY)
    # as the former format wrote a flag, so that the hash of a series that did not change stays the same
    flagged = pl.col("figure_origin") == FLAGGED
    flags = (
        observations.filter(flagged | (pl.col("figure_origin") == RETAINED))
        .select(
            *_KEY,
            obs_status=pl.when(flagged).then(pl.lit(_FORMER_FLAG) + pl.col("figure_note")).otherwise("figure_origin"),
        )
        .sort(_KEY)
    )
    digest = hashlib.sha256(table.write_csv().encode())
    if flags.height:
        digest.update(flags.write_csv().encode())
    return digest.hexdigest()[:16]


def vintages(layout: Layout, indicator_id: str) -> list[Vintage]:
    """The landed vintages of an indicator, oldest first."""
    found = []
    for path in sorted(layout.vintages(indicator_id).glob("[0-9]*.parquet")):
        stamp, digest = path.stem.split("_")
        found.append(Vintage(indicator_id, datetime.strptime(stamp, "%Y%m%dT%H%M%S%f"), digest, path))
    return found


def latest(layout: Layout, indicator_id: str) -> Vintage | None:
    """The newest vintage that holds any figure, else None."""
    return next((v for v in reversed(vintages(layout, indicator_id)) if v.vintage_at > NEVER), None)


def _write(layout: Layout, indicator_id: str, observations: pl.DataFrame, vintage_at: datetime, digest: str) -> Vintage:
    path = layout.vintages(indicator_id) / f"{vintage_at:%Y%m%dT%H%M%S%f}_{digest}.parquet"
    with replacing(path) as temporary:
        observations.sort(_KEY).with_columns(
            pl.lit(vintage_at).cast(pl.Datetime("us")).alias("vintage_at")
        ).write_parquet(temporary, statistics=False)
    return Vintage(indicator_id, vintage_at, digest, path)


def write_columns(layout: Layout, empty: pl.DataFrame) -> None:
    """Writes the file without rows that gives dbt the columns of a vintage (the frame's, and ``vintage_at``)."""
    if not layout.observation_columns.exists() or pl.read_parquet_schema(layout.observation_columns).keys() != {
        *empty.columns,
        "vintage_at",
    }:
        write_table(layout.observation_columns, empty.with_columns(vintage_at=pl.lit(None, dtype=pl.Datetime("us"))))


def ensure_folder(layout: Layout, indicator_id: str, empty: pl.DataFrame) -> None:
    """Give an indicator without any vintage an empty one (dated NEVER), so that its table exists for SQL."""
    if not vintages(layout, indicator_id):
        _write(layout, indicator_id, empty, NEVER, content_hash(empty))


def land_history(layout: Layout, indicator_id: str, observations: pl.DataFrame, vintage_at: datetime) -> Vintage:
    """Land a vintage known from before (the bundled archive's) at its own date. Does nothing where it is landed."""
    digest = content_hash(observations)
    for known in vintages(layout, indicator_id):
        if known.content_hash == digest:
            return known
        if known.vintage_at == vintage_at:  # the archive was corrected: both stay, the correction is the newer one
            vintage_at += timedelta(microseconds=1)
    return _write(layout, indicator_id, observations, vintage_at, digest)


def land(
    layout: Layout,
    indicator_id: str,
    observations: pl.DataFrame,
    vintage_at: datetime,
    *,
    members: Collection[str] = (),
    accept_shrink: bool = False,
) -> Landed:
    """Land a freshly fetched series if its content changed and no guard objects.

    It is held back where it, or the ``members`` in it, lost more than ``SHRINK_LIMIT`` of their country-years, where
    most figures of a year are gone, where its scale changed by more than ``SCALE_LIMIT``, or where a first series has
    no scale to be told from; ``accept_shrink`` is a person's word that it is right all the same.
    """
    previous = latest(layout, indicator_id)
    digest = content_hash(observations)
    if previous is not None and previous.content_hash == digest:
        return Landed(Landing.UNCHANGED, previous)

    now = observations.select(*_KEY, "value")
    before = previous.read().select(*_KEY, "value") if previous else now.clear()
    both = before.join(now, on=_KEY, how="full", suffix="_now", coalesce=True)
    fault = _loss_fault(both, members) or _scale_fault(both) if previous else _first_fault(observations)
    if fault and not accept_shrink:
        remedy = f"the last vintage stays; if this is right: carec refresh --only {indicator_id} --accept-shrink"
        return Landed(Landing.HELD_BACK, previous, reason=f"{fault}; {remedy}")
    if previous is None:
        return Landed(Landing.NEW, _write(layout, indicator_id, observations, vintage_at, digest))
    added = both.filter(pl.col("value").is_null()).height
    withdrawn = both.filter(pl.col("value_now").is_null()).height
    revised = both.filter(pl.col("value") != pl.col("value_now")).height
    # two vintages of one moment would be one file name: the later one is a microsecond later
    vintage_at = max(vintage_at, previous.vintage_at + timedelta(microseconds=1))
    vintage = _write(layout, indicator_id, observations, vintage_at, digest)
    return Landed(Landing.NEW, vintage, revised, added, withdrawn)


def moved_points(fresh: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Country-years whose figure is that of the last vintage with its point moved by two digits or three.

    ``iso3``, ``year``, ``value``, ``value_last``: one country's share among percentages, say. Empty where they are most
    of the figures: then the series as a whole has another unit (``land``).
    """
    common = fresh.select(*_KEY, "value").join(last.select(*_KEY, "value"), on=_KEY, suffix="_last")
    digits = (pl.col("value") / pl.col("value_last")).abs().log10()
    moved = (digits.abs().round() >= 2) & (digits.abs().round() <= 3) & ((digits - digits.round()).abs() < POINT_MOVED)
    found = common.filter((pl.col("value") != 0) & (pl.col("value_last") != 0)).filter(moved)
    return found if 2 * found.height < common.height else found.clear()


def _loss_fault(both: pl.DataFrame, members: Collection[str]) -> str | None:
    """Why a series cannot be whole. ``both``: value and value_now of each country-year."""
    known = both.filter(pl.col("value").is_not_null()).with_columns(gone=pl.col("value_now").is_null())
    own = known.filter(pl.col("iso3").is_in(list(members)))
    for whose, figures in (("", known), (" of the members", own)):
        if (gone := figures["gone"].sum()) > SHRINK_LIMIT * figures.height:
            lost = f"{gone} of {figures.height} country-years{whose} in the last vintage are gone"
            return f"{lost} (more than {SHRINK_LIMIT:.0%})"
    years = known.group_by("year").agg(pl.len(), pl.col("gone").sum()).sort("year", descending=True)
    for year, count, gone in years.rows():
        if count >= ENOUGH and gone > count / 2:
            return f"{gone} of the {count} figures of {year} in the last vintage are gone"
    return None


def _scale_fault(both: pl.DataFrame) -> str | None:
    """Why figures cannot be of the same unit as before. ``both``: value and value_now of each country-year."""
    common = both.filter(pl.col("value") != 0, pl.col("value_now").is_not_null())
    ratio = common.select((pl.col("value_now") / pl.col("value")).abs().median()).item()
    if not _same_scale(ratio):
        return f"the figures are {ratio:.3g} times those of the last vintage in the median: another unit, or no figures"
    # What was added has nothing to be compared with but the figure before it, of the same country.
    series = both.filter(pl.col("value_now").is_not_null()).sort(_KEY)
    added = series.with_columns(earlier=pl.col("value_now").shift().over("iso3")).filter(
        pl.col("value").is_null(), pl.col("earlier") != 0
    )
    ratios = (pl.col("value_now") / pl.col("earlier")).abs().median()
    for year, count, ratio in added.group_by("year").agg(pl.len(), ratios).sort("year").rows():
        if count >= ENOUGH and not _same_scale(ratio):
            return (
                f"the new figures of {year} are {ratio:.3g} times those before them in the median: another unit, or no"
                " figures"
            )
    return None


def _same_scale(ratio: float | None) -> bool:
    return ratio is None or 1 / SCALE_LIMIT <= ratio <= SCALE_LIMIT


def _first_fault(observations: pl.DataFrame) -> str | None:
    """Why a series that nothing is known of cannot be what it should be: all zeros, or shares for percentages."""
    values = observations["value"].abs()
    if observations.height < 2 * ENOUGH or (most := float(values.max())) > 1:  # type: ignore[arg-type]
        return None
    if most == 0:
        return "every figure is zero"
    if observations["unit"].unique().to_list() == ["pct"]:
        return f"no figure is more than {most:g} percent: shares, or no figures"
    return None


def log_rejects(layout: Layout, indicator_id: str, rejects: pl.DataFrame) -> None:
    """Keep rejected records. The same record of the same body is kept once, however often it is fetched."""
    identity = rejects.select(pl.exclude("retrieved_at")).sort("reason", "raw_record", nulls_last=True)
    digest = hashlib.sha256(identity.write_csv().encode()).hexdigest()[:16]
    path = layout.rejects / f"{indicator_id}_{digest}.parquet"
    if not path.exists():
        write_table(path, rejects)


def state(layout: Layout, indicator_ids: Iterable[str]) -> str:
    """Returns a hash over everything landed that a build reads: vintages, rejects, confirmations and catalogue."""
    digest = hashlib.sha256()
    for indicator_id in sorted(indicator_ids):
        for vintage in vintages(layout, indicator_id):
            digest.update(f"{indicator_id}/{vintage.path.name}\n".encode())
    for path in sorted(layout.rejects.glob("*.parquet")):
        digest.update(f"{path.name}\n".encode())
    for name in confirmations.names(layout, sorted(indicator_ids)):
        digest.update(f"{name}\n".encode())
    digest.update(layout.indicators.read_bytes() if layout.indicators.exists() else b"")
    return digest.hexdigest()
