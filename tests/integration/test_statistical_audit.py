"""The statistical audit of the published warehouse, computed again with NumPy from the scores by other formulas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

from pipelines.dbt.functions import register
from pipelines.scoring.models import compiled_folder, load_models
from tests.running import AS_OF
from warehouse.layout import Layout

FRAMEWORK = "carec_2030"
YEAR = f"framework_id = $f and as_of_year = {AS_OF[:4]}"
POPULATIONS = ["members", "economies"]
Panel = dict[str, dict[str, float | None]]
"""Economy -> item -> value."""


class Audited:
    """The table, and the scores of the same build."""

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        self.connection = connection
        self.found = {
            row[:4]: row[4:]
            for row in connection.execute(
                "select population, statistic, subject, other_subject, value, n, reason from statistical_audit"
                " where framework_id = ?",
                [FRAMEWORK],
            ).fetchall()
        }
        self.pillars = [
            pillar for (pillar,) in self._query("select pillar_id from pillars where framework_id = $f and in_overall")
        ]
        self.tree = {
            name: (pillar, subtheme)
            for name, pillar, subtheme in self._query(
                "select indicator_id, pillar_id, subtheme_id from framework_indicators where framework_id = $f"
            )
            if pillar in self.pillars
        }
        self.members = {iso3 for (iso3,) in self._query("select iso3 from economies where is_member")}
        overall = self._query(f"select iso3, score from intermediate.int_overall_scores where {YEAR}")
        self.overall = {iso3: score for iso3, score in overall if score is not None}
        self.levels = self._panel("int_indicator_scores", "indicator_id", "level_score")
        self.subthemes = self._panel("int_subtheme_scores", "subtheme_id", "score")
        self.scores = self._panel("int_pillar_scores", "pillar_id", "score")

    def _query(self, sql: str) -> list[tuple]:
        return self.connection.execute(sql, {"f": FRAMEWORK} if "$f" in sql else None).fetchall()

    def _panel(self, table: str, item_column: str, value_column: str) -> Panel:
        panel: Panel = {iso3: {} for iso3 in sorted(self.overall)}
        for iso3, item, value in self._query(
            f"select iso3, {item_column}, {value_column} from intermediate.{table} where {YEAR}"
        ):
            if iso3 in panel:
                panel[iso3][item] = value
        return panel

    def units(self, population: str) -> list[str]:
        return [iso3 for iso3 in sorted(self.overall) if population == "economies" or iso3 in self.members]

    def complete(self, population: str, panel: Panel, items: list[str]) -> np.ndarray:
        rows = [[panel[iso3].get(item) for item in items] for iso3 in self.units(population)]
        return np.array([row for row in rows if None not in row], dtype=float).reshape(-1, len(items))

    def sets(self) -> Iterator[tuple[str, str, Panel, list[str]]]:
        yield "overall", "pillars", self.scores, self.pillars
        for pillar in self.pillars:
            own = [(name, subtheme) for name, (place, subtheme) in self.tree.items() if place == pillar]
            yield pillar, "indicators", self.levels, sorted(name for name, _ in own)
            yield pillar, "subthemes", self.subthemes, sorted({subtheme for _, subtheme in own})

    def score(self, iso3: str, without: str | None = None) -> tuple[dict[str, float], float]:
        """Return the pillar scores and the overall score from the levels; the seeds have equal weights."""
        groups: dict[str, dict[str, list[float]]] = {}
        for name, (pillar, subtheme) in self.tree.items():
            level = self.levels[iso3].get(name)
            if level is not None and name != without:
                groups.setdefault(pillar, {}).setdefault(subtheme, []).append(level)
        pillars = {pillar: float(np.mean([np.mean(one) for one in below.values()])) for pillar, below in groups.items()}
        return pillars, float(np.mean(list(pillars.values())))


@pytest.fixture(scope="module")
def audited(published_warehouse: Path) -> Iterator[Audited]:
    with duckdb.connect(str(published_warehouse / "build.duckdb"), read_only=True) as connection:
        yield Audited(connection)


@pytest.mark.parametrize("population", POPULATIONS)
def test_alpha_and_first_component_are_those_of_the_singular_values_and_the_covariance_matrix(
    audited: Audited, population: str
) -> None:
    compared = 0
    for subject, items, panel, names in audited.sets():
        values = audited.complete(population, panel, names)
        alpha, n, reason = audited.found[population, "alpha", subject, items]
        share, _, _ = audited.found[population, "first_component_share", subject, items]
        assert n == len(values)
        if len(values) < max(8, len(names) + 1):
            assert (alpha, share, reason) == (None, None, "too_few_economies")
            continue
        covariance = np.cov(values, rowvar=False)
        k = len(names)
        assert alpha == pytest.approx(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()), abs=1e-9)
        standardised = (values - values.mean(axis=0)) / values.std(axis=0)
        singular = np.linalg.svd(standardised, compute_uv=False)
        assert share == pytest.approx(singular[0] ** 2 / (singular**2).sum(), abs=1e-9)
        compared += 1
    assert compared >= 5


@pytest.mark.parametrize("population", POPULATIONS)
def test_leaving_an_indicator_out_is_scoring_the_levels_without_it(audited: Audited, population: str) -> None:
    units = audited.units(population)
    for name, (pillar, _) in audited.tree.items():
        without = {iso3: audited.score(iso3, name) for iso3 in units}
        change = max(abs(without[iso3][1] - audited.overall[iso3]) for iso3 in units)
        assert audited.found[population, "left_out_max_change", name, "overall"][0] == pytest.approx(change, abs=1e-9)
        held = [iso3 for iso3 in units if audited.levels[iso3][name] is not None and pillar in without[iso3][0]]
        r, n, reason = audited.found[population, "rest_correlation", name, pillar]
        assert n == len(held)
        if reason is None:
            rest = [without[iso3][0][pillar] for iso3 in held]
            assert r == pytest.approx(np.corrcoef([audited.levels[iso3][name] for iso3 in held], rest)[0, 1], abs=1e-9)


@pytest.mark.parametrize("population", POPULATIONS)
def test_effective_weights_are_shares_of_the_variance_and_add_up_to_one(audited: Audited, population: str) -> None:
    units = audited.units(population)
    overall = np.array([audited.overall[iso3] for iso3 in units])
    for pillar in audited.pillars:
        scores = np.array([audited.scores[iso3][pillar] for iso3 in units])
        expected = np.cov(scores / len(audited.pillars), overall)[0, 1] / overall.var(ddof=1)
        assert audited.found[population, "effective_weight", pillar, "pillar"][0] == pytest.approx(expected, abs=1e-9)
    for statistic in ("nominal_weight", "effective_weight"):
        total = sum(audited.found[population, statistic, name, "indicator"][0] for name in audited.tree)
        assert total == pytest.approx(1, abs=1e-9)


def test_the_parts_of_an_index_explain_it_as_a_regression_by_orthogonal_columns_says(audited: Audited) -> None:
    parts = [name for (name,) in audited.connection.execute("select indicator_id from index_parts").fetchall()]
    values = audited.complete("economies", audited.levels, ["gii_score", *parts])
    n, k = len(values), len(parts)
    centred = values - values.mean(axis=0)
    basis, _ = np.linalg.qr(centred[:, 1:])
    explained = ((basis.T @ centred[:, 0]) ** 2).sum() / (centred[:, 0] ** 2).sum()
    adjusted = 1 - (1 - explained) * (n - 1) / (n - k - 1)
    value, count, _ = audited.found["economies", "explained_variance", "gii_score", "index_parts"]
    assert (value, count) == (pytest.approx(adjusted, abs=1e-9), n)


def test_the_place_given_income_is_that_of_the_residual(audited: Audited) -> None:
    series = "gdp_per_capita_ppp_usd"
    incomes = dict(
        audited.connection.execute(
            "select iso3, arg_max(value, year) from observations where indicator_id = ? and year between ? and ?"
            " group by iso3",
            [series, int(AS_OF[:4]) - 3, int(AS_OF[:4])],
        ).fetchall()
    )
    units = [iso3 for iso3 in audited.units("economies") if iso3 in incomes]
    x, y = np.log([incomes[iso3] for iso3 in units]), np.array([audited.overall[iso3] for iso3 in units])
    residuals = y - np.polyval(np.polyfit(x, y, 1), x)
    for iso3, residual in zip(units, residuals, strict=True):
        below = 100 * (residuals < residual - 1e-9).sum() / (len(units) - 1)
        assert audited.found["economies", "points_given_income", iso3, series][0] == pytest.approx(residual, abs=1e-9)
        assert audited.found["economies", "percentile_given_income", iso3, series][0] == pytest.approx(below)
    r = audited.found["economies", "income_correlation", "overall", series]
    assert r == (pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9), len(units), None)


def test_the_same_figures_give_the_same_bits_however_many_threads_compute(published_warehouse: Path) -> None:
    models = load_models(compiled_folder(Layout(published_warehouse)), ["statistical_audit"])
    with duckdb.connect(":memory:") as connection:
        register(connection)
        models.prepare(connection)
        connection.execute(f"attach '{published_warehouse / 'carec.duckdb'}' as published (read_only)")
        for name in models.inputs - {"run"}:
            connection.execute(f"create table {name} as from published.{name}")
        connection.execute("create table run as select as_of from published.publication")
        for threads in (1, 4):
            connection.execute(f"set threads = {threads}")
            models.run(connection)
            sql = "from statistical_audit except all from published.statistical_audit"
            assert connection.execute(sql).fetchall() == []
