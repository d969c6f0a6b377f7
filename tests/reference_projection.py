"""A second implementation of the calibration of projections with NumPy. It follows the description.

Belongs here: windows, noise, the kept share of a trend, percentiles of errors, coverage. Does not belong here: code
that reads results of the SQL, or optimisation.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.reference_scoring import Rules, theil_sen

Key = tuple[str, str]
"""(iso3, indicator_id)"""
KEPT = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Window:
    """The measurements up to one year, on the own scale. ``later`` maps a horizon to the value that followed."""

    iso3: str
    year: int
    points: Sequence[tuple[int, float]]
    met: bool
    trend: float
    later: Mapping[int, float]

    @property
    def spread(self) -> float:
        years = [year for year, _ in self.points]
        return math.fsum((year - np.mean(years)) ** 2 for year in years)

    @property
    def variance(self) -> float:
        """Residual variance of the least-squares line, freed of the bias of its median (Wilson and Hilferty)."""
        years, values = np.array(self.points, dtype=float).T
        freedom = len(years) - 2
        line = np.polyfit(years - years.mean(), values, 1)
        squares = float(np.sum((values - np.polyval(line, years - years.mean())) ** 2))
        return squares / (freedom * (1 - 2 / (9 * freedom)) ** 3)


@dataclass
class Calibration:
    """The result for one indicator. ``tested`` maps a horizon to (windows, inside)."""

    error: float | None = None
    kept: float = 0.5
    basis: str = "default"
    percentiles: dict[int, np.ndarray] = field(default_factory=dict)
    tested: dict[int, tuple[int, int]] = field(default_factory=dict)


def own_scale(value: float, rules: Rules, share_limit: float) -> float:
    """Return logit, logarithm or the value; of a ratio above 1 its inverse."""
    if rules.saturating:
        share = min(max(value / rules.valid[1], share_limit), 1 - share_limit)
        return math.log(share / (1 - share))
    judged = 1 / value if rules.parity and value > 1 else value
    if rules.transform == "log":
        return math.log(judged) if judged > 0 else -math.inf
    return judged


def windows_of(
    iso3: str, series: Mapping[int, tuple[float, int]], rules: Rules, given: Mapping[str, float]
) -> list[Window]:
    """Return the windows of one economy. A series maps a year to (value, year of the measurement)."""
    first: dict[int, int] = {}
    for year in sorted(series):
        first.setdefault(series[year][1], year)
    values = {
        year: (own_scale(series[year][0], rules, given["logit_share_limit"]), series[year][0])
        for year in sorted(first.values())
    }
    values = {year: pair for year, pair in values.items() if math.isfinite(pair[0])}

    def segment(year: int) -> int:
        return max((broken for broken in rules.breaks if broken <= year), default=0)

    def is_met(value: float) -> bool:
        judged = 1 / value if rules.parity and value > 1 else value
        return judged >= rules.met if rules.target > rules.floor else judged <= rules.met

    found = []
    for year, (_, value) in values.items():
        same = {y: h for y, (h, _) in values.items() if segment(y) == segment(year)}
        points = [(y, h) for y, h in same.items() if year - given["backtest_window_years"] <= y <= year]
        if len(points) >= given["min_trend_points"]:
            trend = theil_sen(points)
            assert trend is not None
            later = {y - year: h for y, h in same.items() if 0 < y - year <= given["backtest_horizon_years"]}
            found.append(Window(iso3, year, points, is_met(value), trend, later))
    return found


def calibrate(  # noqa: PLR0912
    windows: Mapping[str, Sequence[Window]],
    kinds: Mapping[str, tuple[str, float]],
    sampling: Mapping[str, float],
    given: Mapping[str, float],
) -> dict[str, Calibration]:
    """Return the calibration of every indicator.

    Args:
        windows: All windows, by indicator.
        kinds: Shape, and unit that makes errors of one shape comparable, by indicator.
        sampling: Declared sampling errors.
        given: The scoring parameters.
    """
    results = {name: Calibration() for name in kinds}
    past: dict[str, list[tuple[int, bool, float, float]]] = {name: [] for name in kinds}
    for name, result in results.items():
        mine = windows.get(name, ())
        errors = [math.sqrt(float(np.median([one.variance for one in mine])))] if mine else []
        errors += [sampling[name]] if name in sampling else []
        result.error = max(errors, default=None)
        ends = defaultdict(list)
        for one in mine:
            if not one.met:
                for horizon in one.later:
                    ends[horizon].append(one.year)
        split = {horizon: sorted(years)[(len(years) + 1) // 2 - 1] for horizon, years in ends.items()}
        for one in mine:
            band = 0.0 if result.error is None else given["noise_z"] * result.error / math.sqrt(one.spread)
            trend = 0.0 if abs(one.trend) <= band else one.trend
            for horizon, value in one.later.items() if not one.met else ():
                change = value - one.points[-1][1]
                past[name].append((horizon, one.year <= split[horizon], change, trend * horizon))
    needed = given["calibration_min_windows"]
    for name, result in results.items():
        for basis, names in (
            ("own", [name]),
            ("shape", [other for other in kinds if kinds[other][0] == kinds[name][0]]),
        ):
            rows = [
                [abs(change - kept * ahead) / kinds[other][1] for kept in KEPT]
                for other in names
                for _, earlier, change, ahead in past[other]
                if earlier
            ]
            if len(rows) >= needed:
                result.basis, result.kept = basis, KEPT[int(np.argmin(np.mean(rows, axis=0)))]
                break
        else:
            result.kept = given["default_trend_kept"]
    tail = (1 - given["interval_coverage"]) / 2
    for early in (True, False):
        tables = _percentiles(past, results, kinds, given, early=early)
        for name, result in results.items():
            if not early:
                result.percentiles = tables[name]
                continue
            for horizon, table in tables[name].items():
                low, high = min(table[round(100 * tail) - 1], 0.0), max(table[99 - round(100 * tail)], 0.0)
                tested = [c - result.kept * a for k, earlier, c, a in past[name] if k == horizon and not earlier]
                result.tested[horizon] = len(tested), sum(low <= error <= high for error in tested)
    return results


def _percentiles(
    past: Mapping[str, Sequence[tuple[int, bool, float, float]]],
    results: Mapping[str, Calibration],
    kinds: Mapping[str, tuple[str, float]],
    given: Mapping[str, float],
    *,
    early: bool,
) -> dict[str, dict[int, np.ndarray]]:
    """Return the percentiles by indicator and horizon, with their substitutes where there are too few windows."""
    own: dict[Any, list[float]] = defaultdict(list)
    of_shape: dict[Any, list[float]] = defaultdict(list)
    for name, rows in past.items():
        kind, unit = kinds[name]
        for horizon, earlier, change, ahead in rows:
            if earlier or not early:
                error = change - results[name].kept * ahead
                own[name, horizon].append(error)
                of_shape[kind, horizon].append(error / unit)
    own = {key: errors for key, errors in own.items() if len(errors) >= given["calibration_min_windows"]}
    of_shape = {key: errors for key, errors in of_shape.items() if len(errors) >= given["calibration_min_windows"]}
    percent = np.arange(1, 100)
    tables: dict[str, dict[int, np.ndarray]] = {name: {} for name in past}
    for name, (kind, unit) in kinds.items():
        there = sorted(horizon for other, horizon in own if other == name)
        for horizon in range(1, int(given["backtest_horizon_years"]) + 1):
            longer = [one for one in there if one >= horizon]
            if longer:
                tables[name][horizon] = np.percentile(own[name, longer[0]], percent)
            elif (kind, horizon) in of_shape:
                scale = unit
                if there:
                    mine, shape = own[name, there[-1]], of_shape[kind, there[-1]]
                    scale = float(np.median(np.abs(mine)) / np.median(np.abs(shape)))
                tables[name][horizon] = scale * np.percentile(of_shape[kind, horizon], percent)
    return tables
