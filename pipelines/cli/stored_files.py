"""Checks of ``carec doctor`` that read every stored file as its readers do: landing, publications, journal.

Belongs here: damage and its remedy. Does not belong here: settings and the installation (``pipelines.cli.doctor``),
repairs.
"""

from __future__ import annotations

import duckdb

from pipelines.cli.diagnosis import Diagnosis, one_line
from sources.errors import listed
from warehouse import journal, kept, landing, refused_codes
from warehouse.errors import NotPublished, Unreadable
from warehouse.files import table_fault
from warehouse.layout import Layout
from warehouse.publications import folders
from warehouse.publish import NEVER_EMPTY, published
from warehouse.reading import in_use, open_published
from warehouse.standing import check_blocks, fits


def vintages(layout: Layout) -> Diagnosis:
    """Check the figures of every landed vintage against the hash in its name."""
    damaged, count = [], 0
    for folder in sorted((layout.landing / "observations").glob("*")):
        for vintage in landing.vintages(layout, folder.name):
            count += 1
            try:
                sound = not table_fault(vintage.path) and landing.content_hash(vintage.read()) == vintage.content_hash
            except (OSError, Unreadable):
                sound = False
            if not sound:
                damaged.append(str(vintage.path.relative_to(layout.root)))
    if damaged:
        return Diagnosis(
            "landing",
            f"damaged: {listed(damaged)}",
            "restore the files from a backup, or `carec replay --write` lands every recorded run again",
        )
    if not count:
        return Diagnosis("landing", "nothing has landed yet", "carec refresh")
    return Diagnosis("landing", f"{count} vintages, each with the figures of its hash")


def tables(layout: Layout) -> Diagnosis:
    """Check the landed tables besides the vintages, and the codes that providers refused."""
    written_again = [layout.run, layout.indicators, layout.source_health, layout.observation_columns]
    for path in written_again:
        if path.exists() and (fault := table_fault(path)):
            return Diagnosis("tables", fault, "carec refresh (it writes this table again)")
    logged = sorted(layout.rejects.glob("*.parquet")) + sorted((layout.landing / "confirmations").glob("*/*.parquet"))
    for path in logged:
        if fault := table_fault(path):
            remedy = f"restore {path} from a backup; without one: rm {path} && carec refresh"
            return Diagnosis("tables", fault, remedy)
    if layout.refused_codes.exists() and not refused_codes.is_readable(layout):
        remedy = f"rm {layout.refused_codes}: the next refresh finds the codes again"
        return Diagnosis("tables", f"{layout.refused_codes} cannot be read", remedy)
    count = sum(path.exists() for path in written_again) + len(logged)
    return Diagnosis("tables", f"{count} tables have the content that was written")


def publication(layout: Layout) -> Diagnosis:
    """Check that the published file opens, has the tables that users need, and the bytes that were published."""
    path = layout.published
    if not path.exists():
        return Diagnosis("publication", "nothing is published yet", "carec refresh")
    user, current = in_use(path), published(layout)
    if current is None:
        return Diagnosis("publication", f"{path} is not a publication", "carec refresh (it publishes again)")
    if fault := _fault_of_current(layout, user):
        return Diagnosis("publication", fault, "carec refresh (it publishes again)")
    used = f"; in use by {user}: readers get the kept file of the same publication" if user else ""
    return Diagnosis("publication", f"{current.observations:,} observations, as of {current.as_of}{used}")


def _fault_of_current(layout: Layout, user: str | None) -> str | None:
    """Return what is wrong with the published file. Blocks are read only if no hash covers them."""
    current = kept.current(layout)
    if current and fits(layout):
        return None
    try:
        with open_published(layout.published) as connection:
            empty = [t for t in NEVER_EMPTY if not connection.execute(f"select 1 from {t} limit 1").fetchone()]
            check_blocks(connection)
    except (duckdb.Error, NotPublished, Unreadable) as error:
        return f"{layout.published}: {one_line(error)}"
    if empty:
        return f"nothing in {listed(empty)}"
    if current is None:  # of a version that kept no files
        return f"{layout.current_publication} cannot be read" if layout.current_publication.exists() else None
    writer = f" by {user}, which has it open" if user else ""
    return f"{layout.published} was changed after its publication{writer}"


def kept_publications(layout: Layout) -> Diagnosis:
    """Check the files of the publications that are kept against their hashes."""
    current, found = kept.current(layout), kept.kept(layout)
    damaged = [one for one in found if not one.is_sound]
    if current in damaged:
        remedy = "carec refresh (it publishes again)"
        return Diagnosis("kept publications", f"{current.path if current else ''} is damaged", remedy)
    if damaged:
        names = " ".join(f"{one.path} {one.record}" for one in damaged)
        return Diagnosis(
            "kept publications",
            f"damaged: {listed([str(one.path) for one in damaged])}",
            f"restore them from a backup, or rm -f {names}: no other publication needs them",
        )
    for folder in folders(layout):
        for part in sorted(folder.glob("*.parquet")):
            if fault := table_fault(part):
                remedy = f"rm -r {folder}: `carec diff` then compares with another publication"
                return Diagnosis("kept publications", fault, remedy)
    return Diagnosis("kept publications", f"{len(found)} files have the bytes that were published")


def journal_records(layout: Layout) -> Diagnosis:
    """Check the record of every run."""
    damaged = [str(path) for path in journal.paths(layout) if not journal.is_sound(path)]
    if damaged:
        return Diagnosis(
            "journal",
            f"damaged: {listed(damaged)}",
            "restore them from a backup; without one, remove them: these runs can then not be replayed",
        )
    return Diagnosis("journal", f"{len(journal.paths(layout))} runs can be replayed")
