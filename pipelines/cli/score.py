"""The command ``score``: a folder of tables scored by the product's models.

Belongs here: options and the printed table. Does not belong here: reading and scoring (``pipelines.scoring``).
"""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import format_option, home_path, note, parse_day
from pipelines.scoring.folder import check_out, read_folder, score_folder, write_results
from pipelines.scoring.models import LANDED, compiled_folder, load_models
from pipelines.settings import load_settings
from warehouse.layout import Layout

COLUMNS = (
    *("framework_id", "iso3", "name", "overall_score", "rank", "tied_with", "rank_p05", "rank_p95", "coverage"),
    "score_reason",
)


@click.command()
@click.argument(
    "folder", type=home_path, metavar="PATH", help="Folder with economies.csv, observations.csv and the framework."
)
@click.option(
    "--out", type=home_path, metavar="PATH", help="A new .duckdb file, or a folder for one CSV file per table."
)
@click.option("--as-of", metavar="DATE", help="Day of the scores; else the end of the newest year.")
@format_option
def score(folder: Path, out: Path | None, as_of: str | None, fmt: Format) -> None:
    """Score a folder of your own tables with the models of the scorecard."""
    day = parse_day(as_of)
    if out is not None:
        check_out(folder, out)
    tables = read_folder(folder)
    models = load_models(compiled_folder(Layout(load_settings().warehouse)), given=LANDED)
    connection = score_folder(models, tables, day)
    if out is not None:
        for path in write_results(connection, out):
            note(f"wrote {path}")
    rows = connection.execute(
        f"select {', '.join(COLUMNS)} from scorecard order by framework_id, rank nulls last, iso3"
    ).fetchall()
    if fmt is not Format.TABLE:
        show(COLUMNS, rows, fmt)
        return
    tied = COLUMNS.index("tied_with")
    show(COLUMNS[:tied] + COLUMNS[tied + 1 :], [_line(row, tied) for row in rows], fmt)
    if any(row[tied] for row in rows):
        note("= marks a tie with the members in the column tied_with of the other formats")


def _line(row: tuple[object, ...], tied: int) -> list[object]:
    """Return the printed cells: scores rounded, and a tie marked at the rank, the column before it."""
    line = [round(value, 2) if isinstance(value, float) else value for value in row]
    if line.pop(tied) is not None:
        line[tied - 1] = f"{line[tied - 1]}="
    return line
