"""Every path of the warehouse, once. Knows names and folders; opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folder ``CAREC_WAREHOUSE`` and everything in it."""

    root: Path

    @property
    def raw(self) -> Path:
        """Provider bodies by content hash, kept for ever."""
        return self.root / "raw"

    @property
    def local_files(self) -> Path:
        """Files that an operator puts in place; nothing here writes them."""
        return self.root / "local"

    @property
    def refused_codes(self) -> Path:
        """The codes that providers refused, and at which release."""
        return self.root / "refused_codes.json"

    @property
    def journal(self) -> Path:
        """One record a live run: what was asked, what came, in which order."""
        return self.root / "journal"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    def vintages(self, indicator_id: str) -> Path:
        """The folder of one indicator's vintages: one Parquet file each, never overwritten."""
        return self.landing / "observations" / indicator_id

    @property
    def observation_columns(self) -> Path:
        """A vintage without rows: the columns that every vintage has, for files of an earlier format."""
        return self.landing / "observation_columns.parquet"

    def confirmations(self, indicator_id: str) -> Path:
        """The folder of the confirmations of one indicator's figures: one Parquet file each, never overwritten."""
        return self.landing / "confirmations" / indicator_id

    @property
    def rejects(self) -> Path:
        return self.landing / "rejects"

    @property
    def indicators(self) -> Path:
        """The catalogue as a table, one row an indicator."""
        return self.landing / "indicators.parquet"

    @property
    def source_health(self) -> Path:
        """What came of asking, at the newest refresh, one row an indicator."""
        return self.landing / "source_health.parquet"

    @property
    def run(self) -> Path:
        """The as-of date of the build, one row."""
        return self.landing / "run.parquet"

    @property
    def build(self) -> Path:
        """dbt's file. Readers never open it."""
        return self.root / "build.duckdb"

    @property
    def receipt(self) -> Path:
        """What the build file holds and whether every check of it passed."""
        return self.root / "build.json"

    @property
    def published(self) -> Path:
        """The file that users open. Only ever replaced as a whole."""
        return self.root / "carec.duckdb"

    @property
    def publications(self) -> Path:
        """What is kept of publications that were replaced, one folder each."""
        return self.root / "publications"

    @property
    def report(self) -> Path:
        """The report page and the country briefs."""
        return self.root / "report"

    @property
    def lock(self) -> Path:
        return self.root / ".refresh.lock"

    @property
    def dbt_target(self) -> Path:
        """dbt's parse cache, manifest and logs."""
        return self.root / "dbt"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster"
