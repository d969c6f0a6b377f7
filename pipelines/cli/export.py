"""What ``carec export`` does and says.

Belongs here: handing the catalogue's providers to the export, and its outcome in words. Does not belong here: files and
formats (``warehouse.export.package``), which values may be passed on (``warehouse.export.licences``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.settings import load_settings
from sources.catalogue import Provider, load_catalogue
from sources.errors import ConfigurationError
from warehouse.export.licences import UnknownName
from warehouse.export.package import Attribution, Exported, NotAnExport, export
from warehouse.layout import Layout


def run(directory: Path, providers: Sequence[str], licences: Sequence[str]) -> Exported:
    """Export the published file. Raises NotPublished, Unreadable, and ConfigurationError for a wrong choice."""
    published = Layout(load_settings().warehouse).published
    attributions = [_attribution(provider) for provider in load_catalogue().providers.values()]
    try:
        return export(published, directory, attributions, licences=licences, providers=providers)
    except (NotAnExport, UnknownName) as error:
        raise ConfigurationError(str(error)) from error


def _attribution(provider: Provider) -> Attribution:
    return Attribution(
        provider=provider.id,
        title=provider.title,
        licence=provider.licence,
        licence_url=str(provider.licence_url) if provider.licence_url else None,
        citation=provider.citation,
        documentation_url=str(provider.documentation_url) if provider.documentation_url else None,
    )


def told(exported: Exported) -> list[str]:
    """What was written and what was left out, in lines."""
    lines = [f"wrote {exported.tables} tables with {exported.figures:,} figures to {exported.directory}"]
    lines += [
        f"left out: {count:,} figures under {licence}; --include-licence {licence!r} adds them"
        for licence, count in exported.withheld.items()
    ]
    lines += [
        f"included as asked: {count:,} figures under {licence}, which is not open; mind its terms"
        for licence, count in exported.restricted.items()
    ]
    return lines
