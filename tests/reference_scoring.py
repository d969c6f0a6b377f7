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
    noise_error: float | None = None
    trend_kept: float | None = None
    errors: Mapping[int, tuple[float, float, Sequence[float]]] = field(default_factory=dict)
    """Horizon -> low and high end of the interval, and percentiles, as distances from the projection."""
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
    points: int | None = None
    required_annual_change_from_now: float | None = None
    trend: float | None = None
    required_trend: float | None = None
    noise_band: float | None = None
    pace_ratio: float | None = None
    projection: float | None = None
    projection_low: float | None = None
    projection_high: float | None = None
    probability_of_target: float | None = None
    probability_of_pace_target: float | None = None
    is_on_few_points: bool = False
    projected_target_year: int | None = None


@dataclass(frozen=True)
class Parameters:
    window: int
    min_points: int
    horizon: float
    share_limit: float
    noise_z: float
    longest_horizon: int
    trend_kept: float
    few_points: int
    gate: float
    geometric_floor: float
    tolerance: float
    thresholds: Mapping[str, float] = field(default_factory=dict)


def theil_sen(points: Sequence[tuple[int, float]]) -> float | None:
    """Return the median of the slopes of all pairs; None below two points."""
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(sorted(points), 2)]
    return float(np.median(slopes)) if slopes else None


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

    def h(value: float) -> float:
        """The own scale: logit for a share that saturates."""
        return logit(value) if rules.saturating else g(value)

    t0, x0 = result.baseline_year, result.baseline_value
    if x0 is not None and not math.isfinite(g(x0)):
        x0 = None  # a value without a logarithm has no distance
    horizon = rules.target_year - t
    points: dict[int, float] = {}
    if t0 is not None and x0 is not None:
        result.due = (t - t0) / (rules.target_year - t0)
        if not reached(x0, rules.met):
            goal = h(rules.met) if rules.saturating else g(rules.target)
            attained = (h(x) - h(x0)) / (goal - h(x0))
            result.attainment = attained if math.isfinite(attained) else None
        if not reached(x0, pace_met):
            result.required_annual_change = (g(rules.pace_target) - g(x0)) / (rules.target_year - t0)
        for year in sorted(known):
            if t0 <= year <= t and measured[year] == year and math.isfinite(g(known[year])):
                points[year] = known[year]
        if math.isfinite(g(x)) and len(points) > 1:
            result.points = len(points)
            result.observed_annual_change = theil_sen([(year, g(value)) for year, value in points.items()])
            result.slope_basis = "theil_sen" if len(points) >= parameters.min_points else "two_points"
            if len(points) >= parameters.min_points:
                result.trend = theil_sen([(year, h(value)) for year, value in points.items()])
    if not rules.edition_index and not reached(x, pace_met) and math.isfinite(g(x)) and horizon > 0:
        result.required_annual_change_from_now = (g(rules.pace_target) - g(x)) / horizon
        result.required_trend = (h(pace_met) - h(x)) / horizon
    if result.trend is not None and result.required_trend:
        result.pace_ratio = result.trend / result.required_trend

    if result.attainment is not None and result.due is not None:
        result.ahead_behind = result.attainment - result.due

    def project(change: float) -> float:
        if rules.saturating:
            grown = rules.valid[1] / (1 + math.exp(-(logit(x) + change)))
            projected = x + (grown - rules.valid[1] / (1 + math.exp(-logit(x))))  # a value at a limit starts there
        elif rules.parity and x > 1:
            return 1 / min(max(g(x) + change, parameters.share_limit), 1)
        else:
            projected = math.exp(g(x) + change) if rules.transform == "log" else g(x) + change
        upper = rules.valid[1] if rules.saturating else 1.0 if rules.parity else rules.natural_limit
        lower = rules.valid[0] if rules.saturating or (rules.transform == "none" and rules.valid[0] >= 0) else None
        projected = projected if upper is None else min(projected, max(upper, x))
        return projected if lower is None else max(projected, min(lower, x))

    kept = None
    if result.trend is not None:
        years = list(points)
        if rules.noise_error is not None:
            spread = math.fsum((year - np.mean(years)) ** 2 for year in years)
            result.noise_band = parameters.noise_z * rules.noise_error / math.sqrt(spread)
        kept = parameters.trend_kept if rules.trend_kept is None else rules.trend_kept
        kept = 0.0 if abs(result.trend) <= (result.noise_band or 0.0) else kept * result.trend
    if kept is not None and horizon >= 0:
        result.projection = project(kept * horizon)
        if 1 <= horizon <= parameters.longest_horizon and horizon in rules.errors:
            low, high, percentiles = rules.errors[horizon]
            ends = project(kept * horizon + min(low, 0)), project(kept * horizon + max(high, 0))
            result.projection_low, result.projection_high = min(ends), max(ends)

            def probability(mark: float) -> float | None:
                if rules.edition_index or reached(x, mark):
                    return None
                needed = h(mark) - h(x) - kept * horizon
                enough = sum(error >= needed if upwards else error <= needed for error in percentiles)
                return (enough + 0.5) / 100

            result.probability_of_target = probability(rules.met)
            result.probability_of_pace_target = probability(pace_met)
    if reached(x, rules.met):
        result.projected_target_year = t
    elif kept and 0 <= (h(rules.met) - h(x)) / kept <= parameters.horizon:
        result.projected_target_year = t + math.ceil((h(rules.met) - h(x)) / kept - 1e-9)

    result.status, result.status_reason = _status(result, x0, rules, reached, pace_met, lost, parameters)
    if not math.isfinite(g(x)) and result.status_reason == "one_point_only":
        result.status, result.status_reason = "decreasing", "pace"  # it fell below every scale
    result.is_on_few_points = (
        result.status_reason in ("pace", "within_noise")
        and result.points is not None
        and result.points < parameters.few_points
    )
    return result


def _status(result, x0, rules, reached, pace_met, lost, parameters) -> tuple[str, str]:  # type: ignore[no-untyped-def]  # noqa: PLR0911
    x = result.latest_value
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
    if result.observed_annual_change is None:
        return "insufficient_data", "one_point_only"
    if result.trend is None:
        return "insufficient_data", "two_points"
    if abs(result.trend) <= (result.noise_band or 0.0):
        return "stagnating", "within_noise"
    if result.projection is not None and reached(result.projection, pace_met):
        return "on_track", "pace"
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
        noise_z=value["noise_z"],
        longest_horizon=int(value["backtest_horizon_years"]),
        trend_kept=value["default_trend_kept"],
        few_points=int(value["few_points_below"]),
        gate=value["coverage_gate"],
        geometric_floor=value["geometric_floor"],
        tolerance=value["coverage_tolerance"],
        thresholds={
            row["status"]: float(row["min_pace_ratio"])
            for row in read_seed(seeds, "status_thresholds")
            if row["min_pace_ratio"]
        },
    )
