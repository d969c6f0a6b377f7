"""The search for another indicator's figures: the indicators that a run looks at are all that the gate can find."""

from __future__ import annotations

import random

import polars as pl
import pytest

from pipelines.quality_gates.places import akin, figures_of, other_indicator, repeated
from sources.observation import empty_observations
from tests.unit.test_changed_together import context
from tests.unit.test_observation import records

NAMES = "abcdef"


def series(name: str, places: dict[tuple[str, int], float], draw: random.Random) -> pl.DataFrame:
    """Return figures of which a share is that of ``places``, all but equal, and of which some are missing."""
    share, off = draw.choice([0, 0.3, 0.85, 0.95, 1]), draw.choice([0, 1e-9, 1e-7])
    values = {at: value * (1 + off) if draw.random() < share else 9 * draw.random() for at, value in places.items()}
    return records(*((*at, value) for at, value in values.items() if draw.random() < 0.97), indicator_id=name)


@pytest.mark.parametrize("seed", range(12))
def test_the_gate_finds_the_same_among_all_indicators_and_among_those_that_are_alike(seed: int) -> None:
    draw = random.Random(seed)
    places = {
        (f"A{number:02}", 2000 + number % 4): draw.choice([0.0, 1.0, draw.random(), 1e5 * draw.random()])
        for number in range(draw.choice([5, 12, 30, 80]))
    }
    sent = {name: series(name, places, draw) for name in NAMES}
    figures = {name: figures_of(rows) for name, rows in sent.items()}
    known = repeated(pl.concat([*figures.values(), figures["a"]]))
    for name in NAMES:
        every = pl.concat(figures[other] for other in NAMES if other != name)
        alike = every.filter(pl.col("indicator").is_in(akin(name, known)))
        in_all, in_alike = context(others=lambda one=every: one), context(others=lambda one=alike: one)
        none = empty_observations()
        assert other_indicator(sent[name], none, in_alike) == other_indicator(sent[name], none, in_all)
