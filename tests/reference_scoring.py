"""A second implementation of the scoring method in Python, to compare the SQL with. It follows the description.

Belongs here: level, attainment, slope, pace, projection and status of one indicator in one economy; pillars; overall.
Does not belong here: code that reads intermediate results of the SQL, or optimisation.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from tests.reference_repeats import Scale, Series, measured_years


@dataclass(frozen=True)
class Rules:
    """The declarations of one indicator in one framework in seeds and catalogue, with the breaks of one economy."""

    transform: str
    baseline_year: int | None
    floor: float
    target: float
    met: float
    target_year: int
    pace_target: float
    edition_index: bool
    saturating: bool
    max_age: int
    valid: tuple[float, float]
    min_change: float
    breaks: Sequence[int] = ()
    parity: bool = False
    natural_limit: float | None = None
    repeating: Scale | None = None


@dataclass
class Score:
    """One row of ``indicator_scores``. None means a missing value."""

    status: str = "insufficient_data"
    status_reason: str = "no_data"
    baseline_year: int | None = None
    baseline_value: float | None = None
    latest_year: int | None = None
    measured_year: int | None = None
    latest_value: float | None = None
    level_score: float | None = None
    attainment: float | None = None
    due: float | None = None
    ahead_behind: float | None = None
    observed_annual_change: float | None = None
    slope_basis: str | None = None
    required_annual_change: float | None = None
    required_annual_change_from_now: float | None = None
    pace_ratio: float | None = None
    projection: float | None = None
    projection_low: float | None = None
    projection_high: float | None = None
    projected_target_year: int | None = None


@dataclass(frozen=True)
class Parameters:
    window: int
    min_points: int
    horizon: float
    share_limit: float
    interval_z: float
    gate: float
    geometric_floor: float
    tolerance: float
    thresholds: Mapping[str, float] = field(default_factory=dict)


def theil_sen(points: Sequence[tuple[int, float]]) -> float | None:
    """Return the median of the slopes of all pairs; None below two points."""
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(sorted(points), 2)]
    return float(np.median(slopes)) if slopes else None


def slope_interval(points: Sequence[tuple[int, float]], z: float) -> tuple[float, float]:
    """Return the k-th slope from either end: Sen's interval, with Kendall's variance of n points without ties."""
    slopes = np.sort([(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(sorted(points), 2)])
    n = len(points)
    k = max(1, math.floor((len(slopes) - z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)) / 2))
    return float(slopes[k - 1]), float(slopes[len(slopes) - k])


def score(series: Series, anyone: bool, rules: Rules, as_of_year: int, parameters: Parameters) -> Score:  # noqa: PLR0912
    """Score one indicator in one economy. ``anyone`` is true if the indicator has a figure for any economy."""
    known = {year: value for year, value in series.items() if year <= as_of_year and math.isfinite(value)}
    result = Score(status_reason="not_covered" if anyone else "no_data")
    if not known:
        return result
    own_edition = rules.edition_index and rules.baseline_year is not None
    comparable = not own_edition or rules.baseline_year in known
    t = rules.baseline_year if own_edition and comparable else max(known)
    assert t is not None
    x = known[t]
    measured = measured_years(known, rules.repeating) if rules.repeating else {year: year for year in known}
    result.latest_year, result.latest_value = t, x
    t = result.measured_year = measured[t]

    # Baseline: nearest to the baseline year, ties to the earlier, after the last break up to the latest year.
    after = max((b for b in rules.breaks if b <= t), default=-math.inf)
    lost = False
    if not rules.edition_index:
        assert rules.baseline_year is not None
        near = sorted(
            (abs(year - rules.baseline_year), year)
            for year in known
            if measured[year] == year and abs(year - rules.baseline_year) <= parameters.window
        )
        usable = [year for _, year in near if year >= after]
        lost = bool(near) and not usable
        if usable:
            result.baseline_year = usable[0]
            result.baseline_value = known[usable[0]]

    if not comparable:
        result.status_reason = "not_comparable_edition"
        return result
    if as_of_year - t > rules.max_age:
        result.status_reason = "stale"
        return result

    upwards = rules.target > rules.floor
    pace_met = rules.met if rules.pace_target == rules.target else rules.pace_target

    def judged(value: float) -> float:
        return min(value, 1 / value) if rules.parity and value > 0 else value

    def g(value: float) -> float:
        value = judged(value)
        if rules.transform == "none":
            return value
        return math.log(value) if value > 0 else -math.inf

    def reached(value: float, mark: float) -> bool:
        return judged(value) >= mark if upwards else judged(value) <= mark

    def logit(value: float) -> float:
        share = min(max(value / rules.valid[1], parameters.share_limit), 1 - parameters.share_limit)
        return math.log(share / (1 - share))

    if rules.target != rules.floor:  # without a range no score is possible
        result.level_score = 100 * float(np.clip((g(x) - g(rules.floor)) / (g(rules.target) - g(rules.floor)), 0, 1))

    t0, x0 = result.baseline_year, result.baseline_value
    if x0 is not None and not math.isfinite(g(x0)):
        x0 = None  # a value without a logarithm has no distance
    slope = logit_slope = None
    if t0 is not None and x0 is not None:
        result.due = (t - t0) / (rules.target_year - t0)
        if not reached(x0, rules.met):
            attained = (g(x) - g(x0)) / (g(rules.target) - g(x0))
            result.attainment = attained if math.isfinite(attained) else None
        if not reached(x0, pace_met):
            result.required_annual_change = (g(rules.pace_target) - g(x0)) / (rules.target_year - t0)
        points = [
            (year, known[year])
            for year in sorted(known)
            if t0 <= year <= t and measured[year] == year and math.isfinite(g(known[year]))
        ]
        if math.isfinite(g(x)):
            slope = theil_sen([(year, g(value)) for year, value in points])
            if rules.saturating:
                logit_slope = theil_sen([(year, logit(value)) for year, value in points])
        if slope is not None:
            result.observed_annual_change = slope
            result.slope_basis = "theil_sen" if len(points) >= parameters.min_points else "two_points"
    if not rules.edition_index and not reached(x, pace_met) and math.isfinite(g(x)):
        result.required_annual_change_from_now = (g(rules.pace_target) - g(x)) / (rules.target_year - t)
    if slope is not None and result.required_annual_change:
        result.pace_ratio = slope / result.required_annual_change

    if result.attainment is not None and result.due is not None:
        result.ahead_behind = result.attainment - result.due

    def project(linear: float, saturating: float | None) -> float:
        ahead = rules.target_year - t
        if rules.saturating:
            assert saturating is not None
            grown = rules.valid[1] / (1 + math.exp(-(logit(x) + saturating * ahead)))
            kept_off = rules.valid[1] / (1 + math.exp(-logit(x)))
            projected = x + (grown - kept_off)  # a value at a limit starts there
        else:
            projected = g(x) + linear * ahead
            projected = math.exp(projected) if rules.transform == "log" else projected
        if rules.parity and x > 1:
            return 1 / min(max(projected, 1 / x), 1)
        limit = rules.valid[1] if rules.natural_limit is None else rules.natural_limit
        return float(np.clip(projected, rules.valid[0], max(limit, x)))

    wait = None
    if slope is not None:
        result.projection = project(slope, logit_slope)
        if len(points) >= parameters.min_points:
            low, high = slope_interval([(year, g(value)) for year, value in points], parameters.interval_z)
            logit_low = logit_high = None
            if rules.saturating:
                logits = [(year, logit(value)) for year, value in points]
                logit_low, logit_high = slope_interval(logits, parameters.interval_z)
            ends = project(low, logit_low), project(high, logit_high)
            result.projection_low, result.projection_high = min(ends), max(ends)
        if rules.saturating:
            wait = (logit(rules.met) - logit(x)) / logit_slope if logit_slope else None
        else:
            wait = (g(rules.met) - g(x)) / slope if slope else None
    if reached(x, rules.met):
        result.projected_target_year = t
    elif wait is not None and 0 <= wait <= parameters.horizon:
        result.projected_target_year = t + math.ceil(wait - 1e-9)

    result.status, result.status_reason = _status(result, x0, rules, reached, pace_met, lost, parameters)
    if not math.isfinite(g(x)) and result.status_reason == "one_point_only":
        result.status, result.status_reason = "decreasing", "pace"  # it fell below every scale
    return result


def _status(result, x0, rules, reached, pace_met, lost, parameters) -> tuple[str, str]:  # type: ignore[no-untyped-def]  # noqa: PLR0911
    x, slope = result.latest_value, result.observed_annual_change
    if reached(x, rules.met):
        return "achieved", "met"
    if rules.edition_index:
        return "insufficient_data", "not_comparable_edition"
    if x0 is not None and reached(x0, rules.met):
        return "decreasing", "baseline_met"
    if reached(x, pace_met):
        return "on_track", "met"
    if x0 is not None and reached(x0, pace_met):
        return "decreasing", "baseline_met"
    if x0 is None:
        return "insufficient_data", "series_break" if lost else "no_baseline"
    if slope is None:
        return "insufficient_data", "one_point_only"
    if abs(slope) <= rules.min_change:
        return "stagnating", "within_noise"
    for status, at_least in sorted(parameters.thresholds.items(), key=lambda item: -item[1]):
        if result.pace_ratio >= at_least:
            return status, "pace"
    return "decreasing", "pace"


@dataclass(frozen=True)
class Framework:
    """The weights and rules that combine the scores of one framework."""

    aggregation: str = "arithmetic"
    pillar_aggregation: str = "arithmetic"
    subtheme_aggregation: str = "arithmetic"
    geometric_floor: float = 1.0
    gate: float = 0.5
    subtheme_gate: float = 0.0
    pillar_gate: float = 0.0
    overall_gate: float = 1.0
    indicators_gate: float = 0.0


def weighted(
    pairs: Iterable[tuple[float, float | None]], how: str = "arithmetic", floor: float = 0.0
) -> tuple[float | None, float]:
    """Return (weighted mean of the available values, their share of the weight)."""
    rows = list(pairs)
    there = [(weight, value) for weight, value in rows if value is not None]
    total, scored = math.fsum(w for w, _ in rows), math.fsum(w for w, _ in there)
    if not there:
        return None, 0.0
    if how == "arithmetic":
        return math.fsum(w * v for w, v in there) / scored, scored / total
    raised = [(w, max(v, floor)) for w, v in there]
    product = float(np.prod([np.power(v, w / scored) for w, v in raised]))
    return product, scored / total


def pillar(
    subthemes: Sequence[Mapping[str, Any]],
    levels: Mapping[str, Sequence[tuple[float, float | None]]],
    framework: Framework,
    tolerance: float,
) -> tuple[float | None, float | None, str | None]:
    """Return (score, coverage, reason) of a pillar. ``levels`` maps a sub-theme to (weight, level) of its indicators.

    A sub-theme is ``subtheme_id``, ``weight`` and ``register_only``.
    """
    measurable = [s for s in subthemes if not s["register_only"]]
    if not measurable:
        return None, None, "register_only"
    means = {}
    for s in measurable:
        score, share = weighted(levels[s["subtheme_id"]], framework.subtheme_aggregation, framework.geometric_floor)
        means[s["subtheme_id"]] = (score if share >= framework.subtheme_gate - tolerance else None, share)
    mean, share = weighted(
        ((float(s["weight"]), means[s["subtheme_id"]][0]) for s in measurable),
        framework.pillar_aggregation,
        framework.geometric_floor,
    )
    coverage, _ = weighted((float(s["weight"]), means[s["subtheme_id"]][1]) for s in measurable)
    assert coverage is not None
    if coverage == 0:
        return None, coverage, "no_data"
    if coverage < framework.gate - tolerance or share < framework.pillar_gate - tolerance or mean is None:
        return None, coverage, "coverage_below_gate"
    return mean, coverage, None


def overall(
    pillars: Sequence[tuple[float, float | None, float | None]],
    framework: Framework,
    indicators_share: float = 1.0,
    tolerance: float = 1e-9,
) -> tuple[float | None, float | None]:
    """Return (score, coverage) over (weight, score, coverage) of the counted pillars; a score only beyond the gates."""
    score, share = weighted(((w, s) for w, s, _ in pillars), framework.aggregation, framework.geometric_floor)
    coverage, _ = weighted((w, c) for w, _, c in pillars)
    enough = share >= framework.overall_gate - tolerance and indicators_share >= framework.indicators_gate - tolerance
    return (score if enough else None), coverage


def imputed(own: Sequence[float], complete: Sequence[tuple[float, Sequence[float]]]) -> tuple[float, float, float]:
    """Return prediction and interval (5-95 %) of a score, from the known pillars of an economy.

    Each of the complete economies, given as (overall score, the same pillars), is predicted once from all others.
    """

    def predict(rows: Sequence[tuple[float, Sequence[float]]], point: Sequence[float]) -> float:
        left = np.array([[1.0, *scores] for _, scores in rows])
        right = np.array([total for total, _ in rows])
        return float(np.array([1.0, *point]) @ np.linalg.solve(left.T @ left, left.T @ right))

    errors = sorted(
        total - predict([*complete[:place], *complete[place + 1 :]], scores)
        for place, (total, scores) in enumerate(complete)
    )

    def percentile(share: float) -> float:
        place = share * (len(errors) - 1)
        below = int(place)
        return errors[below] + (place - below) * (errors[min(below + 1, len(errors) - 1)] - errors[below])

    expected = predict(complete, own)
    return expected, expected + percentile(0.05), expected + percentile(0.95)


def read_seed(seeds: Path, name: str) -> list[dict[str, str]]:
    with (seeds / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def read_parameters(seeds: Path) -> Parameters:
    value = {row["parameter"]: float(row["value"]) for row in read_seed(seeds, "scoring_parameters")}
    return Parameters(
        window=int(value["baseline_window_years"]),
        min_points=int(value["min_trend_points"]),
        horizon=value["projection_horizon_years"],
        share_limit=value["logit_share_limit"],
        interval_z=value["interval_z"],
        gate=value["coverage_gate"],
        geometric_floor=value["geometric_floor"],
        tolerance=value["coverage_tolerance"],
        thresholds={
            row["status"]: float(row["min_pace_ratio"])
            for row in read_seed(seeds, "status_thresholds")
            if row["min_pace_ratio"]
        },
    )
