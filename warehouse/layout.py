"""All paths of the warehouse. Belongs here: names of files and folders. Does not belong here: opening them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths in the folder ``CAREC_WAREHOUSE``.

    Attributes:
        root: The folder.
        chosen: The kept file of the publication to read, where that is not the folder's own: the newest of the lake.
    """

    root: Path
    chosen: Path | None = None

    @property
    def raw(self) -> Path:
        """Bodies of responses by content hash, stored permanently."""
        return self.root / "raw"

    @property
    def local_files(self) -> Path:
        """Files that an operator provides; no code writes them."""
        return self.root / "local"

    @property
    def refused_codes(self) -> Path:
        """Codes that providers refused, with the release."""
        return self.root / "refused_codes.json"

    @property
    def journal(self) -> Path:
        """One record per live run: its requests and responses in order."""
        return self.root / "journal"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    def vintages(self, indicator_id: str) -> Path:
        """Vintages of one indicator: one Parquet file each, never overwritten."""
        return self.landing / "observations" / indicator_id

    @property
    def observation_columns(self) -> Path:
        """A vintage without rows, so that files of an earlier format can be read with the present columns."""
        return self.landing / "observation_columns.parquet"

    def confirmations(self, indicator_id: str) -> Path:
        """Confirmations of one indicator: one Parquet file each, never overwritten."""
        return self.landing / "confirmations" / indicator_id

    @property
    def rejects(self) -> Path:
        return self.landing / "rejects"

    @property
    def indicators(self) -> Path:
        """The catalogue as a table, one row per indicator."""
        return self.landing / "indicators.parquet"

    @property
    def source_health(self) -> Path:
        """Outcome of the newest refresh, one row per indicator."""
        return self.landing / "source_health.parquet"

    @property
    def run(self) -> Path:
        """As-of date of the build, one row."""
        return self.landing / "run.parquet"

    @property
    def build(self) -> Path:
        """The database that dbt builds. Users never open it."""
        return self.root / "build.duckdb"

    @property
    def receipt(self) -> Path:
        """Content of the build file, and whether all of its checks passed."""
        return self.root / "build.json"

    @property
    def published(self) -> Path:
        """The database that users open: a link to a copy of the current publication, replaced as a whole."""
        return self.chosen or self.root / "carec.duckdb"

    @property
    def publications(self) -> Path:
        """Publications that are kept, one file each, and parts of older ones, one folder each."""
        return self.root / "publications"

    @property
    def current_publication(self) -> Path:
        """The id of the current publication."""
        return self.publications / "current"

    @property
    def opened(self) -> Path:
        """The copy of the current publication that users open, under another name for each publication."""
        return self.publications / "open"

    @property
    def fetching(self) -> Path:
        """Unfinished copies of publications of the lake, and the lock of the process that makes one."""
        return self.publications / "fetching"

    @property
    def report(self) -> Path:
        """The report page and the country briefs."""
        return self.root / "report"

    @property
    def lock(self) -> Path:
        return self.root / ".refresh.lock"

    @property
    def dbt_target(self) -> Path:
        """Parse cache, manifest and logs of dbt."""
        return self.root / "dbt"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster"
