"""Write an SDMX export: structures, data, licences, an introduction, checksums.

Belongs here: the files of the export. Does not belong here: their layout (``data``, ``structures``), which values may
be passed on (``licences``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.export.folder import LICENCES, check_folder, new_folder, write
from warehouse.export.licences import withhold
from warehouse.export.rights import Attribution, count_marked, load_about, load_rights, write_licences
from warehouse.export.sdmx.codelists import load_codelists
from warehouse.export.sdmx.components import AGENCY, DATAFLOWS
from warehouse.export.sdmx.data import write_data
from warehouse.export.sdmx.queries import load_flags
from warehouse.export.sdmx.structures import write_structures
from warehouse.reading import open_published


@dataclass(frozen=True)
class SdmxExported:
    """Result of an SDMX export.

    Attributes:
        directory: Where it was written.
        observations: Data set -> number of its observations.
        withheld: Licence -> number of figures whose value is left out.
        restricted: Licence that is not open -> number of figures included on request.
        unknown_flags: Providers' flags without a standard code.
    """

    directory: Path
    observations: dict[str, int]
    withheld: dict[str, int]
    restricted: dict[str, int]
    unknown_flags: tuple[str, ...]


def export_sdmx(
    published: Path,
    directory: Path,
    attributions: Collection[Attribution],
    *,
    units: Mapping[str, str],
    reasons: Mapping[str, str],
    licences: Collection[str] = (),
    providers: Collection[str] = (),
) -> SdmxExported:
    """Write observations, scores and trajectories in SDMX formats to a folder.

    Args:
        published: The published file.
        directory: A new or empty folder, or an earlier export, which is replaced when all files are written.
        attributions: One per provider.
        units: Unit -> its name.
        reasons: Code of a reason of a missing value -> its sentence.
        licences: Licences that are not open and whose raw values are exported nevertheless.
        providers: Providers whose raw values are exported whatever their licence.

    Raises:
        folder.NotAnExport: The folder has other files.
        licences.UnknownName: No figure has such a licence or provider.
        errors.NotPublished: Nothing is published.
        errors.Unreadable: The file is not a publication.
    """
    check_folder(directory)
    with open_published(published) as connection:
        withhold(connection, licences, providers)
        unknown = load_flags(connection)
        about = load_about(connection)
        codelists = load_codelists(connection, attributions, units, reasons)
        message_id = f"{AGENCY}-{about['fingerprint'][:12]}"
        meta = {
            "id": message_id,
            "prepared": f"{about['published_at']:%Y-%m-%dT%H:%M:%SZ}",
            "sender": {"id": AGENCY, "name": "CAREC Digital Scorecard"},
        }
        with new_folder(directory, (LICENCES,)) as new:
            write_structures(new, codelists, message_id, about["published_at"])
            observations = {flow.id: write_data(connection, new, flow, codelists, meta) for flow in DATAFLOWS}
            counts = count_marked(connection)
            write_licences(new / LICENCES, load_rights(connection, attributions))
            write(new / "README.txt", "\n\n".join(_readme(about, observations, counts)) + "\n")
    return SdmxExported(directory, observations, **counts, unknown_flags=tuple(unknown))


def _readme(about: dict[str, Any], observations: dict[str, int], counts: dict[str, dict[str, int]]) -> Iterable[str]:
    withheld, restricted = (sum(counts[mark].values()) for mark in ("withheld", "restricted"))
    yield "CAREC Digital Scorecard, in the formats of statistical offices (SDMX 3.0)"
    yield f"As of {about['as_of']}, published {about['published_at']:%Y-%m-%d %H:%M} UTC."
    yield "structure.json (SDMX-JSON 2.0) and structure.xml (SDMX-ML 2.1): data structures, concepts, code lists."
    for flow in DATAFLOWS:
        yield (
            f"{flow.file}.csv (SDMX-CSV 2.0) and {flow.file}.json (SDMX-JSON 2.0): {flow.description.lower()};"
            f" {observations[flow.id]:,} observations."
        )
    yield "The benchmarks are the project's own choice, not the strategy's."
    yield (
        "A missing value is NaN in CSV and null in JSON, never 0: OBS_STATUS is O, or Q if the licence does not allow"
        " passing the value on, and MISSING_REASON has the reason. A score that cannot be computed is such an"
        " observation; of a figure that no provider publishes there is none."
    )
    yield (
        f"{withheld:,} figures have no value, because their licence is not open or not known. `carec export --sdmx DIR"
        " --include-licence LICENCE` or `--include PROVIDER` adds values for those who may use them."
    )
    if restricted:
        yield f"{restricted:,} figures with CONF_STATUS N are here because they were asked for. Mind their terms."
    yield "The folder licences names the providers of the figures and their licences."
