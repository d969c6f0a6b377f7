"""The bundled archive: the last known figures of every series, in successive vintages, for use without a provider.

Belongs here: reading and writing the archive's files. Does not belong here: whether a figure may be used (the
observation contract), the vintage in use (``warehouse.landing``), the network.

``series.yml`` lists the series. Each vintage of a series is one complete table ``iso3,year,value``. Tables have further
columns only if they need them: ``vintage`` is the vintage in which a carried-over row first appeared, ``obs_status``
the provider's own flag, ``figure_origin`` and ``figure_note`` any other change that the pipeline made to a figure.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sources.catalogue import ARCHIVE, Catalogue, Indicator
from sources.errors import ConfigurationError
from sources.observation import OBSERVATION, FigureOrigin
from sources.yaml_files import Document, first_fault, read_yaml

ARCHIVE_DIR = Path(__file__).parent / "archive"
INDEX = "series.yml"
_TABLE = {
    "iso3": pl.String(),
    "year": pl.Int32(),
    "value": pl.Float64(),
    "vintage": pl.String(),
    "obs_status": pl.String(),
    "figure_origin": pl.String(),
    "figure_note": pl.String(),
}
_OPTIONAL = list(_TABLE)[3:]
_ORIGIN = ["provider", "provider_code", "unit", "licence", "source_url"]
"""Columns with one value per series."""

_INDEX_HEAD = """\
# The series of the archive, one entry per series of a provider, with its vintages, oldest first.
# `retrieved_at` is when the copy was taken from the provider, else when it was committed where it was found.
# README.md describes the format; `carec archive record` rewrites this file.

"""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VintageEntry(_Entry):
    """An entry of ``series.yml`` for one table: the series as of ``retrieved_at`` (UTC). ``vintage`` is the release."""

    vintage: str = Field(min_length=1)
    retrieved_at: datetime
    file: str = Field(pattern=r"^[a-z0-9_][A-Za-z0-9_.-]*\.csv$")

    @field_validator("retrieved_at")
    @classmethod
    def _utc(cls, value: datetime) -> datetime:
        try:
            return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        except OverflowError as error:  # the first and the last day that a date can have
            raise ValueError(str(error)) from error


class Series(_Entry):
    """One series of one provider. An indicator has several if its vintages come from different providers."""

    indicator_id: str
    provider: str
    provider_code: str
    unit: str
    licence: str = Field(min_length=2)
    citation: str = Field(min_length=5)
    source_url: str = Field(pattern=r"^https?://")
    how_obtained: str = Field(min_length=20)
    vintages: tuple[VintageEntry, ...] = Field(min_length=1)


@dataclass(frozen=True)
class ArchivedVintage:
    """One vintage of an indicator. ``records`` has exactly the columns and types of ``OBSERVATION``."""

    vintage_at: datetime
    records: pl.DataFrame


@dataclass(frozen=True)
class Archive:
    """The checked index, with the line of each series. Tables are read on demand."""

    directory: Path
    series: tuple[Series, ...]
    lines: tuple[int, ...] = ()

    def of(self, indicator_id: str) -> list[tuple[Series, VintageEntry]]:
        """Return the vintages of an indicator, each with its series, oldest first."""
        held = [(s, v) for s in self.series if s.indicator_id == indicator_id for v in s.vintages]
        return sorted(held, key=lambda pair: pair[1].retrieved_at)

    def vintages(self, indicator: Indicator) -> list[ArchivedVintage]:
        """Return every vintage of the indicator, oldest first; an empty list if the archive has no such series.

        Raises:
            ConfigurationError: A table cannot be read, or its unit is not that of the catalogue.
        """
        held = self.of(indicator.id)
        origins = pl.DataFrame(
            [{"vintage": v.vintage, **{name: getattr(s, name) for name in _ORIGIN}} for s, v in held],
            schema={name: pl.String() for name in ["vintage", *_ORIGIN]},
        ).unique("vintage", keep="last")
        for series, _ in held:
            if series.unit != indicator.unit:
                line = dict(zip(map(id, self.series), self.lines, strict=False)).get(id(series))
                where = f"{self.directory / INDEX}{f':{line}' if line else ''}: {indicator.id}"
                raise ConfigurationError(f"{where}: unit: {series.unit}, in the catalogue {indicator.unit}")
        return [ArchivedVintage(v.retrieved_at, self._records(s, v, origins)) for s, v in held]

    def _records(self, series: Series, vintage: VintageEntry, origins: pl.DataFrame) -> pl.DataFrame:
        table, sha256 = self._table(series, vintage)
        carried = pl.col("vintage").is_not_null()
        # a carried-over row may come from another provider, so it has the origin of its own vintage
        rows = table if table["vintage"].null_count() == table.height else table.join(origins, on="vintage", how="left")
        own = {name: pl.lit(getattr(series, name)) for name in _ORIGIN}
        origin = {name: pl.coalesce(name, own[name]) if name in rows.columns else own[name] for name in _ORIGIN}
        return rows.select(
            "iso3",
            pl.lit(series.indicator_id).alias("indicator_id"),
            "year",
            "value",
            origin["unit"].alias("unit"),
            "obs_status",
            origin["provider"].alias("provider"),
            origin["provider_code"].alias("provider_code"),
            pl.coalesce("vintage", pl.lit(vintage.vintage)).alias("provider_release"),
            pl.lit(vintage.retrieved_at).alias("retrieved_at"),
            origin["source_url"].alias("source_url"),
            pl.lit(sha256).alias("raw_sha256"),
            origin["licence"].alias("licence"),
            pl.lit(ARCHIVE).alias("retrieved_via"),
            pl.coalesce("figure_origin", pl.when(carried).then(pl.lit(FigureOrigin.CARRIED_OVER.value))).alias(
                "figure_origin"
            ),
            "figure_note",
        ).cast(OBSERVATION)  # type: ignore[arg-type]

    def _table(self, series: Series, vintage: VintageEntry) -> tuple[pl.DataFrame, str]:
        """Return the table with all columns of ``_TABLE``, and the hash of the file's bytes."""
        path = self.directory / vintage.file
        try:
            content = path.read_bytes()
            header = content.partition(b"\n")[0].decode("ascii").strip().split(",")
            if header[:3] != ["iso3", "year", "value"] or not set(header) <= set(_TABLE):
                raise ValueError(f"the header is {','.join(header)}, it must begin with iso3,year,value")
            table = pl.read_csv(content, schema={name: _TABLE[name] for name in header})
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            raise ConfigurationError(f"{path}: {series.indicator_id}: cannot be read: {error}") from error
        missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in _TABLE.items() if name not in header]
        return table.with_columns(missing), hashlib.sha256(content).hexdigest()


def load_archive(directory: Path = ARCHIVE_DIR) -> Archive:
    """Read and check the index, without the tables.

    Raises:
        ConfigurationError: The index has a fault; the message names file, line, entry and field.
    """
    path = directory / INDEX
    document = read_yaml(path)
    if not isinstance(document.value or [], list):
        raise ConfigurationError(f"{path}:{document.line_of()}: a list of series is expected")
    series = tuple(_series(path, document, number) for number in range(len(document.value or [])))
    owners: dict[str, str] = {}
    for number, entry in enumerate(series):
        for at, vintage in enumerate(entry.vintages):
            if vintage.file in owners:
                where = f"{path}:{document.line_of(number, 'vintages', at, 'file')}: {entry.indicator_id}"
                raise ConfigurationError(f"{where}: {vintage.file} is {owners[vintage.file]}'s already")
            owners[vintage.file] = entry.indicator_id
    return Archive(directory, series, tuple(document.line_of(number) for number in range(len(series))))


def _series(path: Path, document: Document, number: int) -> Series:
    entry = document.value[number]
    name = entry.get("indicator_id") if isinstance(entry, dict) else None
    try:
        return Series.model_validate(entry)
    except ValidationError as error:
        place, fault = first_fault(error)
        field = ".".join(str(part) for part in place) or "the entry"
        where = f"{path}:{document.line_of(number, *place)}: {name or f'entry {number + 1}'}"
        raise ConfigurationError(f"{where}: {field}: {fault}") from error


def write_archive(
    directory: Path, vintages: Mapping[str, list[pl.DataFrame]], catalogue: Catalogue, how_obtained: str
) -> None:
    """Replace the archive in ``directory``. Other files of the directory, such as README.md, are kept.

    The same vintages give the same bytes. Readers see either the old archive or the new one.

    Args:
        directory: The folder of the archive.
        vintages: Indicator id -> complete series with the columns ``OBSERVATION``, oldest first. The newest becomes
            ``<id>.csv``, older ones ``<id>.<day>.csv``.
        catalogue: The indicators, and the citation of each provider.
        how_obtained: Text of the field for new figures. Figures that came from an archive keep its text.
    """
    known = [folder for folder in (ARCHIVE_DIR, directory) if (folder / INDEX).exists()]
    said = {
        (series.indicator_id, vintage.retrieved_at): series.how_obtained
        for folder in known
        for series in load_archive(folder).series
        for vintage in series.vintages
    }
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        entries: list[dict[str, Any]] = []
        for indicator in catalogue:
            frames = [frame for frame in vintages.get(indicator.id, []) if frame.height]
            for newer, frame in zip(reversed(range(len(frames))), frames, strict=True):
                own, table = _own_and_table(frame)
                at = own["retrieved_at"]
                file = _free_name(fresh, f"{indicator.id}.{at:%Y-%m-%d}" if newer else indicator.id)
                table.write_csv(fresh / file)
                kept = said.get((indicator.id, at)) if own["retrieved_via"] == ARCHIVE else None
                series = {
                    "indicator_id": indicator.id,
                    **{name: own[name] for name in _ORIGIN},
                    "citation": catalogue.providers[own["provider"]].citation,
                    "how_obtained": kept or how_obtained,
                }
                _add(entries, series, {"vintage": own["vintage"], "retrieved_at": at, "file": file})
        index = yaml.dump(entries, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
        (fresh / INDEX).write_text(_INDEX_HEAD + index, encoding="utf-8")
        _swap(fresh, directory)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _own_and_table(frame: pl.DataFrame) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return the origin of a vintage's own rows (``_ORIGIN``, vintage, retrieved_via, retrieved_at), and its table."""
    # without a release of the provider, the vintage is named by the day of the request
    day = pl.col("provider") + " " + pl.col("retrieved_at").dt.strftime("%Y-%m-%d")
    rows = frame.with_columns(
        vintage=pl.coalesce("provider_release", day),
        obs_status=pl.when(pl.col("obs_status") != "").then("obs_status"),
        carried=pl.col("figure_origin").eq_missing(FigureOrigin.CARRIED_OVER.value),
    ).sort("iso3", "year")
    # the vintage's own rows are the newest, the others were carried over; of equally new ones the most frequent
    own = (
        rows.filter(~pl.col("carried"))
        .group_by(*_ORIGIN, "vintage", "retrieved_via")
        .agg(pl.col("retrieved_at").max(), pl.len())
        .sort("retrieved_at", "len", *_ORIGIN, "vintage")
        .row(-1, named=True)
    )
    lasting = pl.col("figure_origin").is_in([FigureOrigin.RETAINED, FigureOrigin.CORRECTED])
    table = rows.select(
        "iso3",
        "year",
        "value",
        pl.when(pl.col("vintage") != own["vintage"]).then("vintage").alias("vintage"),
        "obs_status",
        # `vintage` says that a row is carried over; a flag is set again from corrections.yml when the archive is landed
        *(pl.when(lasting).then(name).alias(name) for name in ("figure_origin", "figure_note")),
    )
    return own, table.drop([name for name in _OPTIONAL if table[name].null_count() == table.height])


def _free_name(folder: Path, stem: str) -> str:
    """Return ``<stem>.csv``, with a number if two vintages have the same day."""
    names = (f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv" for number in count(1))
    return next(name for name in names if not (folder / name).exists())


def _add(entries: list[dict[str, Any]], series: dict[str, Any], vintage: dict[str, Any]) -> None:
    """Add the vintage to the series that it continues, else to a new series."""
    for known in entries:
        if {name: known[name] for name in series} == series:
            known["vintages"].append(vintage)
            return
    entries.append({**series, "vintages": [vintage]})


def _swap(fresh: Path, directory: Path) -> None:
    """Replace ``directory`` by ``fresh``, and keep its files other than tables and index."""
    fresh.chmod(0o755)
    if not directory.exists():
        fresh.rename(directory)
        return
    for path in directory.iterdir():
        if path.name != INDEX and path.suffix != ".csv":
            shutil.copy2(path, fresh / path.name)
    old = directory.with_name(f".{directory.name}-replaced")
    shutil.rmtree(old, ignore_errors=True)
    directory.rename(old)
    try:
        fresh.rename(directory)
    except OSError:
        old.rename(directory)
        raise
    shutil.rmtree(old)
