"""The command ``benchmarks recompute``.

Belongs here: printing the goalposts that would move. Does not belong here: the computation
(``pipelines.seeds.goalposts``).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import click

from pipelines.cli.tables import Format, console, show
from pipelines.cli.terminal import format_option, parse_day
from pipelines.formatting import number
from pipelines.published import fetch
from pipelines.seeds.goalposts import apply, recompute, recompute_variants
from pipelines.settings import DBT_PROJECT, load_settings
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError
from warehouse import landing
from warehouse.layout import Layout


@click.group(no_args_is_help=True)
def benchmarks() -> None:
    """The goalposts and targets behind the scores."""


@benchmarks.command("recompute")
@click.option("--write", is_flag=True, help="Change the seed; without it nothing is written.")
@click.option("--as-of", metavar="DATE", help="Use the vintages known on that day (YYYY-MM-DD).")
@format_option
def benchmarks_recompute(write: bool, as_of: str | None, fmt: Format) -> None:
    """Compute the goalposts again from current data and print those that differ from the seed."""
    day = parse_day(as_of)
    seed, variants = (DBT_PROJECT / "seeds" / f"{name}.csv" for name in ("benchmarks", "goalpost_variants"))
    vintages = _vintages_of(day) if day else ()
    cells = recompute(seed, fetch, vintages) + recompute_variants(seed, variants, fetch, vintages)
    changed = [cell for cell in cells if cell.differs]
    columns = ["framework_id", "indicator_id", "column", "seed", "recomputed"]
    rows: list[list[Any]] = [
        [cell.framework_id, cell.indicator_id, cell.name, cell.seed, cell.recomputed] for cell in changed
    ]
    if fmt is not Format.TABLE:
        show(columns, rows, fmt)
    elif rows:
        known = f"the figures known on {day}" if day else "today's figures"
        show(columns, rows, fmt, title=f"Goalposts that {known} would move")
    if write:
        apply(seed, [cell for cell in changed if not cell.goalposts])
        apply(variants, [cell for cell in changed if cell.goalposts])
    out = console(stderr=True)
    numbers = sum(cell.is_number for cell in changed)
    out.print(
        f"{len(cells)} computed cells: {number(numbers, 0)} goalposts and {len(changed) - numbers} descriptions of them"
        f" differ; {'written to' if write and changed else 'nothing written to'} {seed.name} and {variants.name}",
        soft_wrap=True,
    )
    if changed and not write:
        out.print(
            "Goalposts are frozen: a change also changes scores, and earlier scores are then no longer comparable."
        )


def _vintages_of(day: date) -> list[Path]:
    """Return the file of each indicator's newest vintage that was known at the end of ``day``.

    Raises:
        ConfigurationError: No vintage in this warehouse is that old.
    """
    layout = Layout(load_settings().warehouse)
    end = datetime.combine(day + timedelta(days=1), time())
    landed = [landing.vintages(layout, indicator.id) for indicator in load_catalogue()]
    known = [[one for one in vintages if landing.NEVER < one.vintage_at < end] for vintages in landed]
    if not any(known):
        raise ConfigurationError(f"no vintage in {layout.landing} was known on {day}: choose a later day for --as-of")
    return [vintages[-1].path for vintages in known if vintages]
