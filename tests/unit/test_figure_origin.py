"""The origin of a figure: read from vintages of the former format, and kept when a figure is carried over."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from sources.observation import FigureOrigin, from_older_vintage
from tests.conftest import ROOT
from tests.unit.test_observation import records
from warehouse import landing
from warehouse.landing import Landing
from warehouse.layout import Layout

ID = "internet_users_pct"
FORMER = {
    None: (None, None, None),
    "E": ("E", None, None),
    "older_vintage": (None, "carried_over", None),
    "kept_from_last_vintage": (None, "retained", None),
    "corrected": (None, "corrected", None),
    "flagged: doubtful: see the report": (None, "flagged", "doubtful: see the report"),
}
"""The former ``obs_status`` -> its meaning: flag of the provider, origin, note."""


def former_vintage(layout: Layout) -> Path:
    """Write a vintage in the format before ``figure_origin``, with one figure per former status."""
    rows = [("KAZ", 2010 + at, float(at)) for at in range(len(FORMER))]
    figures = records(*rows).with_columns(obs_status=pl.Series(list(FORMER)))
    path = layout.vintages(ID) / "20261101T120000000000_0123456789abcdef.parquet"
    path.parent.mkdir(parents=True)
    former = figures.drop("figure_origin", "figure_note").with_columns(vintage_at=pl.lit(datetime(2026, 11, 1, 12)))
    former.write_parquet(path)
    return path


def test_a_vintage_of_the_former_format_is_read_with_its_origins_and_not_rewritten(tmp_path: Path) -> None:
    path = former_vintage(Layout(tmp_path))
    before = path.read_bytes()
    (vintage,) = landing.vintages(Layout(tmp_path), ID)
    read = vintage.read().select("obs_status", "figure_origin", "figure_note").rows()
    assert read == list(FORMER.values())
    assert path.read_bytes() == before


def test_the_models_read_the_former_format_as_ingestion_does(tmp_path: Path) -> None:
    path = former_vintage(Layout(tmp_path))
    macro = (ROOT / "dbt_project" / "macros" / "figure_origin.sql").read_text(encoding="utf-8")
    case = macro[macro.index("case") : macro.index("{%- endmacro %}")].replace("{{ obs_status }}", "obs_status")
    found = duckdb.sql(f"select ({case}) from '{path}' order by year").fetchall()
    assert [origin for (origin,) in found] == [origin for _, origin, _ in FORMER.values()]


def test_a_series_with_flags_of_the_former_format_is_unchanged_after_the_next_fetch(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    flagged = records(("KAZ", 2024, 9.3)).with_columns(figure_origin=pl.lit("flagged"), figure_note=pl.lit("doubtful"))
    former = flagged.with_columns(obs_status=pl.lit("flagged: doubtful")).drop("figure_origin", "figure_note")
    # the hash of this series in the former code
    digest = landing.content_hash(flagged)
    path = layout.vintages(ID) / f"20261101T120000000000_{digest}.parquet"
    path.parent.mkdir(parents=True)
    former.with_columns(vintage_at=pl.lit(datetime(2026, 11, 1, 12))).write_parquet(path)
    assert digest == "5fabcbf94470edbc"
    assert landing.land(layout, ID, flagged, datetime(2026, 11, 2)).status is Landing.UNCHANGED


def test_a_corrected_or_flagged_figure_keeps_its_origin_in_a_newer_vintage() -> None:
    figures = records(("KAZ", 2022, 1.0), ("KAZ", 2023, 2.0), ("KAZ", 2024, 3.0), ("KAZ", 2025, 4.0)).with_columns(
        figure_origin=pl.Series([None, "corrected", "flagged", "carried_over"])
    )
    taken = from_older_vintage(figures, FigureOrigin.RETAINED)
    assert taken["figure_origin"].to_list() == ["retained", "corrected", "flagged", "retained"]
