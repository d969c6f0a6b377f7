"""The check of all seed tables before a build: the one function that other folders call.

Belongs here: the order of the checks. Does not belong here: any rule.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.seeds.claims import check_claims
from pipelines.seeds.documents import check_documents
from pipelines.seeds.frameworks import check_frameworks
from pipelines.seeds.table_schema import check_tables
from sources.catalogue import Catalogue


def check_all(dbt_project: Path, catalogue: Catalogue) -> None:
    """Check every seed table: first each against its declaration, then the rules across rows and tables.

    Args:
        dbt_project: The folder of the dbt project.
        catalogue: The indicators that the seeds may name.

    Raises:
        ConfigurationError: The first fault, with file, line, entry, column, and what to do.
    """
    tables = check_tables(dbt_project, catalogue.indicators)
    check_frameworks(tables, catalogue)
    check_claims(tables, catalogue.indicators)
    check_documents(tables)
