"""A second implementation of the rank band scenarios in NumPy, to compare the SQL with. It follows their description.

Belongs here: levels on any goalposts, weights, means, exchanged origins, ranks and Sobol's indices of one framework
with arithmetic aggregation. Does not belong here: which figures are usable (reference_scoring.py), or reading tables.
Every scenario is computed completely; no result is reused in another scenario.
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

Key = tuple[str, str, str, str]
"""Origin, normalisation, goalposts, transform."""


@dataclass(frozen=True)
class Composite:
    """One framework: n indicators in sub-themes in pillars, and the values of m members.

    ``values`` has an (m, n) array with NaN for a missing value under each ``Key``, 0 to 100.
    """

    framework_id: str
    indicators: Sequence[str]
    weights: Floats
    subtheme: NDArray[np.int64]
    subthemes: Sequence[str]
    subtheme_weights: Floats
    pillar: NDArray[np.int64]
    pillars: Sequence[str]
    pillar_weights: Floats
    values: Mapping[Key, Floats]


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


def levels_on(values: Floats, floor: Floats, target: Floats, is_log: NDArray[np.bool_]) -> Floats:
    """Return the levels of (m, n) values on the goalposts of n indicators, on the scale of logarithms or not."""
    with np.errstate(divide="ignore", invalid="ignore"):
        x, low, high = (np.where(is_log, np.log(np.maximum(one, 0)), one) for one in (values, floor, target))
    return 100 * np.clip((x - low) / (high - low), 0, 1)


def _factors(prefix: str, names: Sequence[str], sets: int, spread: float) -> Floats:
    """Return (sets + 1, names) factors: 1 in the first row, then drawn from the MD5 hash of prefix, set and name."""
    drawn = np.ones((sets + 1, len(names)))
    for number in range(1, sets + 1):
        for position, name in enumerate(names):
            digest = hashlib.md5(f"{prefix}|{number}|{name}".encode()).hexdigest()
            drawn[number, position] = 1 + spread * (2 * int(digest[:13], 16) / 2**52 - 1)
    return drawn


def weight_sets(composite: Composite, sets: int, spread: float) -> tuple[Floats, Floats, Floats]:
    """Return (sets + 1, ...) weights of indicators, sub-themes and pillars; the declared ones are the first."""
    above = [composite.pillars[number] for number in composite.pillar]
    subthemes = [f"subtheme|{pillar}|{name}" for pillar, name in zip(above, composite.subthemes, strict=True)]
    levels = (
        (composite.indicators, composite.weights),
        (subthemes, composite.subtheme_weights),
        ([f"pillar|{name}" for name in composite.pillars], composite.pillar_weights),
    )
    first, second, third = (_factors(composite.framework_id, names, sets, spread) * own for names, own in levels)
    return first, second, third


def _mean(values: Floats, weights: Floats) -> Floats:
    """Return the (s, m) weighted means of (k, s, m) values with gaps under (s, k) weights."""
    there = ~np.isnan(values)
    total = np.einsum("sk,ksm->sm", weights, there)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.einsum("sk,ksm->sm", weights, np.where(there, values, 0)) / total


def _scores(composite: Composite, y: Floats, weights: tuple[Floats, Floats, Floats]) -> Floats:
    """Return (s, m) overall means of the (m, n) values ``y`` under s weights of each level; 0 is left out."""
    there = (~np.isnan(y)).astype(float)
    filled = np.where(there > 0, y, 0)
    subthemes = []
    for number in range(len(composite.subthemes)):
        own = composite.subtheme == number
        with np.errstate(invalid="ignore", divide="ignore"):
            subthemes.append((weights[0][:, own] @ filled[:, own].T) / (weights[0][:, own] @ there[:, own].T))
    stacked = np.stack(subthemes)
    pillars = [
        _mean(stacked[composite.pillar == number], weights[1][:, composite.pillar == number])
        for number in range(len(composite.pillars))
    ]
    return _mean(np.stack(pillars), weights[2])


def scores(composite: Composite, sets: int, spread: float) -> dict[tuple[str, Key], Floats]:
    """Return (aggregation, key of the values) -> (weight sets, indicators left out, m) scores.

    Both axes begin with the base: the declared weights, nothing left out.
    """
    n = len(composite.indicators)
    kept = np.vstack([np.ones(n), 1 - np.eye(n)])
    own, *above = weight_sets(composite, sets, spread)
    flat = (own[:, None, :] * kept[None]).reshape(-1, n)
    second, third = (np.repeat(one, len(kept), axis=0) for one in above)
    result = {}
    for aggregation in ("declared", "geometric"):
        for key, values in composite.values.items():
            y = values if aggregation == "declared" else np.log(1 + 0.99 * values)
            mean = _scores(composite, y, (flat, second, third))
            score = mean if aggregation == "declared" else np.exp(mean)
            score = score.reshape(sets + 1, len(kept), -1)
            # a member with only this indicator keeps it
            result[aggregation, key] = np.where(np.isnan(score), score[:, :1], score)
    return result


def sobol(rank: NDArray[np.int64], axis: int) -> tuple[float, float]:
    """Return the first-order and the total index of the assumption on one axis; the last axis has the members.

    The members' variances are added up before the division, so a member counts with the variance of its rank.
    """
    others = tuple(other for other in range(rank.ndim - 1) if other != axis)
    variance = rank.var(axis=tuple(range(rank.ndim - 1))).sum()
    first = rank.mean(axis=others).var(axis=0).sum()
    total = rank.var(axis=axis).mean(axis=tuple(range(rank.ndim - 2))).sum()
    return first / variance, total / variance


def ranks(score: Floats) -> NDArray[np.int64]:
    """Return 1 + the number on the last axis that is better by more than a rounding error."""
    rounded = np.round(score, 9)
    return 1 + (rounded[..., None, :] > rounded[..., :, None]).sum(axis=-1)
