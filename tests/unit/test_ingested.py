"""What an ingestion says of the figures in use: their provider, licence, release and latest year."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from pipelines.ingested import InUse, figures_in_use
from tests.unit.test_observation import records

EARLIER, LATER = datetime(2026, 7, 1), datetime(2026, 8, 1)


def test_each_indicator_has_what_most_of_its_figures_have_and_the_last_release_of_its_latest_year() -> None:
    figures = pl.concat(
        [
            records(("KAZ", 2022, 1.0), provider_release="R9", retrieved_via="b", retrieved_at=EARLIER),
            records(("KAZ", 2023, 1.0), provider_release="R3", retrieved_via="b", retrieved_at=EARLIER),
            records(("UZB", 2023, 1.0), provider_release="R2", retrieved_via="a", retrieved_at=LATER),
            records(("TJK", 2023, 1.0), provider_release=None, retrieved_via="a", retrieved_at=LATER),
            records(("KAZ", 2020, 1.0), provider_release=None, indicator_id="other", licence="CC0"),
        ]
    )
    assert figures_in_use(figures) == {
        "internet_users_pct": InUse(4, 2023, LATER, "a", "CC BY 4.0", "R2"),
        "other": InUse(1, 2020, EARLIER, "world_bank", "CC0", None),
    }
    assert figures_in_use(figures.clear()) == {}
