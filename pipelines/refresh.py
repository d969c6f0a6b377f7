"""One refresh: ingest, build, audit, publish, record. The command line and Dagster run these same functions.

Belongs here: the order of the steps and what stops them. Does not belong here: how any step is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.dbt import runner as models
from pipelines.dbt.runner import Build
from pipelines.ingestion import Ingestion, ingest
from pipelines.workspace import Workspace
from sources.observation import utc_now
from warehouse.publish import NotPublished, Publication, publish, published
from warehouse.recovery import holding


@dataclass(frozen=True)
class Refresh:
    """The result of a refresh.

    ``build`` is None where nothing had changed and the publication was left as it was. ``previous`` is the publication
    that this one replaced, None where there was none.
    """

    ingestion: Ingestion
    build: Build | None
    publication: Publication
    previous: Publication | None = None


class BuildFailed(NotPublished):
    """Models or tests did not pass. Carries the build, so that it can be recorded."""

    def __init__(self, build: Build, ingestion: Ingestion):
        super().__init__(build.reason)
        self.build = build
        self.ingestion = ingestion


def refresh(
    workspace: Workspace,
    *,
    offline: bool = False,
    only: Sequence[str] = (),
    as_of: date | None = None,
    accept_shrink: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Refresh:
    """Bring the published file up to date.

    Raises NotPublished (the previous publication is untouched), ConfigurationError, or files.Busy where another
    refresh holds the warehouse.
    """
    indicators = workspace.catalogue.select(list(only))
    models.check_seeds(workspace)
    with holding(workspace.layout):
        ingestion = ingest(
            workspace,
            indicators,
            offline=offline or workspace.settings.offline,
            accept_shrink=accept_shrink,
            progress=lambda provider: progress(f"asked {provider}"),
        )
        day = as_of or utc_now().date()
        mark = models.fingerprint(workspace, day, explicit=as_of is not None)
        standing = published(workspace.layout)
        if standing and standing.fingerprint == mark:
            return Refresh(ingestion, None, standing)
        build = models.build(workspace, day, mark, lambda node: progress(f"building {node}"))
        if not build.passed:
            raise BuildFailed(build, ingestion)
        return Refresh(ingestion, build, publish(workspace.layout, utc_now()), standing)
