"""A second implementation of the rank band scenarios in NumPy, to compare the SQL with. It follows their description.

Belongs here: weights, means, exchanged origins and ranks of one framework with arithmetic aggregation. Does not belong
here: levels (reference_scoring.py), or reading any table. Every scenario is computed completely; no result is reused in
another scenario.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NOTHING = "none"
"""Name of the option that leaves out no indicator."""


@dataclass(frozen=True)
class Composite:
    """One framework: n indicators in sub-themes in pillars, and the values of m members.

    ``values`` has an (m, n) array with NaN for a missing value under each (origin, normalisation), 0 to 100.
    """

    framework_id: str
    indicators: Sequence[str]
    weights: Floats
    subtheme: NDArray[np.int64]
    subtheme_weights: Floats
    pillar: NDArray[np.int64]
    pillar_weights: Floats
    values: Mapping[tuple[str, str], Floats]


def exchanged(declared: Floats, other: Floats) -> Floats:
    """Return the declared array with the figures of the other origin where both have one."""
    return np.where(np.isnan(declared) | np.isnan(other), declared, other)


def rank_share(values: Floats) -> Floats:
    """Return, per column of an (economies, indicators) array, 100 x the share of worse others; ties count half."""
    shares = np.full(values.shape, np.nan)
    for column in range(values.shape[1]):
        there = ~np.isnan(values[:, column])
        x = values[there, column]
        if len(x) > 1:
            worse = (x[None, :] < x[:, None]).sum(axis=1)
            equal = (x[None, :] == x[:, None]).sum(axis=1) - 1
            shares[there, column] = 100 * (worse + equal / 2) / (len(x) - 1)
    return shares


def factors(composite: Composite, sets: int, spread: float) -> Floats:
    """Return (sets + 1, n) factors on the weights: 1 in the first row, then drawn from the MD5 hash of the names."""
    drawn = np.ones((sets + 1, len(composite.indicators)))
    for number in range(1, sets + 1):
        for position, indicator in enumerate(composite.indicators):
            digest = hashlib.md5(f"{composite.framework_id}|{number}|{indicator}".encode()).hexdigest()
            drawn[number, position] = 1 + spread * (2 * int(digest[:13], 16) / 2**52 - 1)
    return drawn


def _mean(values: Floats, weights: Floats) -> Floats:
    """Return the weighted mean over the first axis of (k, ..., m) values with gaps. ``weights`` is (k,)."""
    there = ~np.isnan(values)
    total = np.tensordot(weights, there, axes=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.tensordot(weights, np.where(there, values, 0), axes=1) / total


def _scores(composite: Composite, y: Floats, weights: Floats) -> Floats:
    """Return (scenarios, m) overall means of the (m, n) values ``y`` under (scenarios, n) weights; 0 is left out."""
    there = (~np.isnan(y)).astype(float)
    filled = np.where(there > 0, y, 0)
    subthemes = []
    for number in range(len(composite.subtheme_weights)):
        own = composite.subtheme == number
        with np.errstate(invalid="ignore", divide="ignore"):
            subthemes.append((weights[:, own] @ filled[:, own].T) / (weights[:, own] @ there[:, own].T))
    stacked = np.stack(subthemes)
    pillars = [
        _mean(stacked[composite.pillar == number], composite.subtheme_weights[composite.pillar == number])
        for number in range(len(composite.pillar_weights))
    ]
    return _mean(np.stack(pillars), composite.pillar_weights)


def scores(composite: Composite, sets: int, spread: float) -> dict[tuple[str, str, str], Floats]:
    """Return (origin, aggregation, normalisation) -> (weight sets, indicators left out, m) scores.

    Both axes begin with the base: the declared weights, nothing left out.
    """
    n = len(composite.indicators)
    kept = np.vstack([np.ones(n), 1 - np.eye(n)])
    weights = (factors(composite, sets, spread) * composite.weights)[:, None, :] * kept[None]
    flat = weights.reshape(-1, n)
    result = {}
    for aggregation in ("declared", "geometric"):
        for (origin, normalisation), values in composite.values.items():
            y = values if aggregation == "declared" else np.log(1 + 0.99 * values)
            mean = _scores(composite, y, flat)
            score = mean if aggregation == "declared" else np.exp(mean)
            score = score.reshape(len(weights), len(kept), -1)
            # a member with only this indicator keeps it
            result[origin, aggregation, normalisation] = np.where(np.isnan(score), score[:, :1], score)
    return result


def ranks(score: Floats) -> NDArray[np.int64]:
    """Return 1 + the number on the last axis that is better by more than a rounding error."""
    rounded = np.round(score, 9)
    return 1 + (rounded[..., None, :] > rounded[..., :, None]).sum(axis=-1)
