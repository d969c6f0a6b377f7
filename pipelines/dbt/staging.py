"""Generate a part of dbt's staging layer: one source table per indicator, one staging model per pillar.

Belongs here: rendering ``models/staging/generated`` from the catalogue and the seed ``framework_indicators`` (``make
generate`` writes the files, a refresh only compares them), and the check that the seeds name only indicators that the
catalogue has. Does not belong here: running dbt, models written by hand, the columns (macro ``landed``).

One source table per indicator keeps the lineage exact: a score leads only to the series behind it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import yaml

from pipelines.seeds.codes import FRAMEWORK
from sources.catalogue import Catalogue, Indicator, load_catalogue
from sources.errors import ConfigurationError
from warehouse.files import write_atomically

STAGINGS = {
    "p1": "stg_p1",
    "p2": "stg_p2",
    "p3": "stg_p3",
    "p4": "stg_p4",
    "p5": "stg_p5",
    "s1": "stg_sectors",
    "s2": "stg_sectors",
    "s3": "stg_sectors",
    "s4": "stg_sectors",
    "x1": "stg_sectors",
    "x4": "stg_sectors",
}
CONTEXT = "stg_context"
"""The staging model of indicators in no pillar: denominators, ranks, parts of other frameworks, candidates."""

_LANDING = '{{ env_var("CAREC_WAREHOUSE") }}/landing'
_LOCATION = (
    f"read_parquet(['{_LANDING}/observation_columns.parquet', '{_LANDING}/observations/{{name}}/*.parquet'],"
    " union_by_name=true)"
)
"""Where a source table is. A vintage of an earlier format lacks columns; the file without rows has all of them."""
_NOTE = "Generated from the catalogue and the seed framework_indicators by `make generate`: do not edit."


def write_staging(catalogue: Catalogue, dbt_project: Path) -> list[Path]:
    """Write the source tables and staging models.

    Args:
        catalogue: The indicators.
        dbt_project: The folder of the dbt project.

    Returns:
        The files that changed; an empty list if all were up to date.

    Raises:
        ConfigurationError: A seed names an indicator that the catalogue lacks, or a pillar without a staging model.
    """
    files = _outdated(catalogue, dbt_project)
    for path, text in files.items():
        write_atomically(path, text.encode())
    return list(files)


def check_staging(catalogue: Catalogue, dbt_project: Path) -> None:
    """Raise ConfigurationError if a staging file differs from what ``write_staging`` would write."""
    for path in _outdated(catalogue, dbt_project):
        raise ConfigurationError(
            f"{path}: does not match the catalogue and the seed framework_indicators: run `make generate`, and commit"
            " the files that it writes"
        )


def _outdated(catalogue: Catalogue, dbt_project: Path) -> dict[Path, str]:
    """Return the files that do not match the catalogue and the seeds, with the text that they should have."""
    models = _grouped(catalogue, dbt_project / "seeds")
    folder = dbt_project / "models" / "staging" / "generated"
    files = {folder / f"{name}.sql": _model(indicators) for name, indicators in models.items()}
    files[folder / "_observations.yml"] = _properties(catalogue, models)
    return {path: text for path, text in files.items() if not _holds(path, text)}


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _grouped(catalogue: Catalogue, seeds: Path) -> dict[str, list[Indicator]]:
    """Return the indicators of each staging model, at least one each, in the order of the catalogue."""
    for line, row in _rows(seeds / "benchmarks.csv"):
        _check_known(catalogue, seeds / "benchmarks.csv", line, row["indicator_id"])
    staging_of: dict[str, str] = {}
    path = seeds / "framework_indicators.csv"
    for line, row in _rows(path):
        _check_known(catalogue, path, line, row["indicator_id"])
        if row["framework_id"] == FRAMEWORK:
            if row["pillar_id"] not in STAGINGS:
                raise ConfigurationError(
                    f"{path}:{line}: {row['indicator_id']}: there is no pillar {row['pillar_id']!r} in {FRAMEWORK}; "
                    f"known are {', '.join(STAGINGS)}"
                )
            staging_of[row["indicator_id"]] = STAGINGS[row["pillar_id"]]
    models: dict[str, list[Indicator]] = {name: [] for name in (*STAGINGS.values(), CONTEXT)}
    for indicator in catalogue:
        models[staging_of.get(indicator.id, CONTEXT)].append(indicator)
    empty = [name for name, indicators in models.items() if not indicators]
    if empty:
        raise ConfigurationError(f"{path}: no indicator for {', '.join(empty)}; every staging model needs one")
    return models


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a seed, each with the line of the file on which it ends."""
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            for row in reader:
                yield reader.line_num, row
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error


def _check_known(catalogue: Catalogue, path: Path, line: int, indicator_id: str) -> None:
    if indicator_id not in catalogue.indicators:
        raise ConfigurationError(
            f"{path}:{line}: {indicator_id}: the catalogue has no such indicator; "
            "add it to sources/catalog/indicators.yml or remove it from the seed"
        )


def _model(indicators: list[Indicator]) -> str:
    names = "".join(f"    '{indicator.id}',\n" for indicator in indicators)
    return f"-- {_NOTE}\n{{{{ landed([\n{names}]) }}}}\n"


def _properties(catalogue: Catalogue, models: dict[str, list[Indicator]]) -> str:
    content = {
        "version": 2,
        "sources": [
            {
                "name": "observations",
                "description": "Landed observations: every vintage of every indicator, as the provider published it.",
                "config": {"external_location": _LOCATION},
                "tables": [
                    {
                        "name": indicator.id,
                        "description": indicator.title,
                        "config": {"meta": {"dagster": {"asset_key": ["observations", indicator.id]}}},
                    }
                    for indicator in catalogue
                ],
            }
        ],
        "models": [
            {
                "name": name,
                "description": "Every vintage of: " + "; ".join(indicator.title for indicator in indicators) + ".",
            }
            for name, indicators in models.items()
        ],
    }
    text = yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
    return f"# {_NOTE}\n{text}"


def main() -> None:
    """Write the staging files of this checkout and print those that changed."""
    from pipelines.settings import DBT_PROJECT

    for path in write_staging(load_catalogue(), DBT_PROJECT):
        print(path.relative_to(DBT_PROJECT.parent))


if __name__ == "__main__":
    main()
