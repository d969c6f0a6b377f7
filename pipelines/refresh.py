"""One refresh: ingest, build, check, publish. The Dagster job runs the same functions.

Belongs here: the order of the steps and the conditions that stop them. Does not belong here: how a step works.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from pipelines.dbt import runner
from pipelines.dbt.invocation import read_ahead
from pipelines.dbt.results import Build
from pipelines.ingestion import Ingestion
from pipelines.lake import follow_lake
from pipelines.polling import gather
from pipelines.workspace import Workspace
from sources.hidden_packages import without_hidden_packages
from sources.observation import utc_now
from warehouse.errors import NotPublished
from warehouse.publish import Publication, current, publish
from warehouse.recovery import holding


@dataclass(frozen=True)
class Refresh:
    """The result of a refresh.

    Attributes:
        ingestion: Results per indicator.
        build: Results of dbt; None where nothing had changed and the publication stayed as it was.
        publication: The current publication.
        previous: The publication that this one replaced; None for the first one.
        restored: Whether another program had changed ``carec.duckdb``, so that the same publication was put back.
    """

    ingestion: Ingestion
    build: Build | None
    publication: Publication
    previous: Publication | None = None
    restored: bool = False


class BuildFailed(NotPublished):
    """Models or tests did not pass. Has the results, so that the run can be recorded."""

    def __init__(self, build: Build, ingestion: Ingestion):
        super().__init__(build.reason)
        self.build = build
        self.ingestion = ingestion


@without_hidden_packages()
def refresh(
    workspace: Workspace,
    *,
    offline: bool = False,
    only: Sequence[str] = (),
    as_of: date | None = None,
    accept_shrink: bool = False,
    accept_revisions: Sequence[str] = (),
    progress: Callable[[str], None] = lambda step: None,
) -> Refresh:
    """Bring the published file up to date.

    Args:
        workspace: Settings, catalogue and paths.
        offline: Use landed figures and the bundled archive, without network access.
        only: Ids of the indicators to request, all where empty.
        as_of: Day to score, today where None.
        accept_shrink: Accept responses in which many country-years are missing.
        accept_revisions: Ids of the indicators of which what the gates would hold back is accepted.
        progress: Called with a description of each step.

    Raises:
        NotPublished: The build failed; the previous publication is unchanged.
        ConfigurationError: An input has a fault.
        files.Busy: Another refresh has locked the warehouse.
    """
    indicators = workspace.catalogue.select(list(only))
    workspace.catalogue.select(list(accept_revisions))
    runner.check_seeds(workspace)
    offline = offline or workspace.settings.offline
    with holding(workspace.layout), ThreadPoolExecutor(max_workers=1) as executor:
        project = None if offline else read_ahead(workspace, executor)
        ingestion = gather(
            workspace,
            indicators,
            offline=offline,
            accept_shrink=accept_shrink,
            accept_revisions=accept_revisions,
            progress=progress,
        )
        day = as_of or utc_now().date()
        fingerprint = runner.fingerprint(workspace, day, explicit=as_of is not None)
        follow_lake(workspace.settings, workspace.layout)
        previous = current(workspace.layout)
        if previous and previous.fingerprint == fingerprint:
            return Refresh(ingestion, None, previous, restored=runner.skip_build(workspace.layout, previous))
        progress("dbt reads its project: up to a minute the first time, some seconds later")
        read = project.result() if project else None
        build = runner.build(workspace, day, fingerprint, progress, read)
        if not build.passed:
            raise BuildFailed(build, ingestion)
        progress("publishing")
        publication = publish(workspace.layout, utc_now(), workspace.settings.keep_publications)
        return Refresh(ingestion, build, publication, previous)
