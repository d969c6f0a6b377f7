"""An export of a real publication with ``carec export``, read with the tools of its users.

Belongs here: tests that need the real tables. Does not belong here: tests that a small publication is enough for
(``tests/unit/test_export.py``).
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from python_calamine import CalamineWorkbook

from tests.conftest import AS_OF, ROOT, run_carec
from tests.running import further
from tests.unit.test_export import verified
from warehouse.export.folder import UNFINISHED
from warehouse.export.licences import MARKS, RAW_VALUES

DISTINCT = 7
"""Number of significant digits that makes a coincidence of two equal numbers unlikely."""
SOFFICE = shutil.which("soffice")
csv.field_size_limit(1 << 24)


@pytest.fixture(scope="module")
def exported(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "out"
    done = run_carec("export", str(folder), warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and re.search(r"^wrote \d+ tables with [\d,]+ figures to ", done.stderr)
    return folder


@pytest.fixture(scope="module")
def both(published_warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file, to compare it with exported ones."""
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        yield connection


def tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """Return the columns with types, in order, of each published table."""
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'main' and not internal"
        " order by table_name, column_index"
    ).fetchall():
        found.setdefault(table, []).append((column, kind))
    return found


def test_every_table_is_exported_in_every_format_with_its_columns_in_order(
    exported: Path, both: duckdb.DuckDBPyConnection
) -> None:
    book = CalamineWorkbook.from_path(str(exported / "carec.xlsx"))
    package = json.loads((exported / "datapackage.json").read_text(encoding="utf-8"))
    fields = {one["name"]: [field["name"] for field in one["schema"]["fields"]] for one in package["resources"]}
    expected = {
        table: [column for column, _ in columns] + (list(MARKS) if table in RAW_VALUES else [])
        for table, columns in tables(both).items()
    }
    assert fields == expected
    names = book.sheet_names
    assert names[:4] == ["readme", "v_members", "v_indicators_latest", "v_compare"]
    assert names[-2:] == ["columns", "licences"] and set(expected) < set(names)
    assert {name.partition("-")[0] for name in names[1:-2]} == set(expected)
    for table, columns in expected.items():
        with (exported / "csv" / f"{table}.csv").open(encoding="utf-8", newline="") as handle:
            assert next(csv.reader(handle)) == columns
        parquet = duckdb.sql(f"select * from '{exported}/parquet/{table}.parquet' limit 0").columns
        assert parquet == columns
        assert book.get_sheet_by_name(table).to_python()[0] == columns


def test_no_figure_text_or_row_differs_from_the_published_file(exported: Path, both: duckdb.DuckDBPyConnection) -> None:
    """Compare in both directions, Parquet and CSV. In withheld rows, all columns except the raw values are compared."""
    for table, columns in tables(both).items():
        raw = RAW_VALUES[table].columns if table in RAW_VALUES else ()
        shown = ", ".join(f'"{column}"' for column, _ in columns if column not in raw)
        theirs = ", ".join(
            f"regexp_replace(\"{column}\", '^''([=+@\\t\\r\\n-])', '\\1') as \"{column}\""
            if kind == "VARCHAR"
            else f'"{column}"'
            for column, kind in columns
            if column not in raw
        )
        # CSV has times to the second
        seconds = [column for column, kind in columns if kind == "TIMESTAMP"]
        replaced = ", ".join(f"date_trunc('second', {column}) as {column}" for column in seconds)
        shorter = f"select * replace ({replaced}) from" if seconds else "from"
        types = dict(columns) | (dict.fromkeys(MARKS, "VARCHAR") if raw else {})
        parquet = f"'{exported}/parquet/{table}.parquet'"
        from_csv = (
            f"read_csv('{exported}/csv/{table}.csv', columns = {types}, header = true, allow_quoted_nulls = false,"
            " max_line_size = 10000000)"
        )
        for form, ours in (
            (f"select {shown} from {parquet}", f"select {shown} from main.{table}"),
            (f"select {theirs} from {from_csv}", f"select {shown} from ({shorter} main.{table})"),
        ):
            missing, extra = (
                both.execute(f"select count(*) from (({a}) except all ({b}))").fetchall()[0][0]
                for a, b in ((ours, form), (form, ours))
            )
            assert (table, missing, extra) == (table, 0, 0), form
        if raw:
            values = ", ".join(raw)
            kept = f"select {values} from {parquet} where withheld is null"
            assert both.execute(
                f"select count(*) from (({kept}) except all (select {values} from main.{table}))"
            ).fetchall() == [(0,)]


def closed_values(connection: duckdb.DuckDBPyConnection) -> set[float]:
    """Return the raw values that may not be exported, if they are distinguishable from other numbers."""
    rows = connection.execute(
        f"""
        with terms as (from read_csv('{ROOT}/warehouse/licences.csv', all_varchar = true)),
        marked as (
            select value, coalesce(terms, 'unknown') <> 'open' as is_closed
            from observations left join terms using (licence)
        )
        select value from marked where is_closed
        except select value from marked where not is_closed
        except select unnest([floor_value, target_value, pace_target_value]) from benchmarks
        """
    ).fetchall()
    digits = {value: re.sub(r"^[-0.]+|\.", "", repr(value)) for (value,) in rows if "e" not in repr(value)}
    # two decimals prove nothing, also with the noise of binary arithmetic (86.42999999999999)
    return {value for value, shown in digits.items() if len(shown) >= DISTINCT and abs(value - round(value, 2)) > 1e-9}


def test_no_raw_value_without_an_open_licence_is_in_any_table_or_text(
    exported: Path, both: duckdb.DuckDBPyConnection
) -> None:
    closed = closed_values(both)
    assert len(closed) > 1000
    for path in sorted((exported / "csv").glob("*.csv")):
        numbers = re.findall(r"(?<![\w.])-?\d+\.\d{3,}(?![\w.])", path.read_text(encoding="utf-8"))
        found = closed & {float(number) for number in numbers}
        assert not found, f"{path.name} shows {len(found)} withheld values, such as {sorted(found)[:3]}"


def test_scores_statuses_verdicts_and_ranks_are_complete(exported: Path, both: duckdb.DuckDBPyConnection) -> None:
    for table, column in (
        ("scorecard", "overall_score"),
        ("pillar_scores", "score"),
        ("indicator_scores", "level_score"),
        ("indicator_scores", "status"),
        ("claims_audit", "verdict"),
        ("scorecard", "rank"),
    ):
        counted = f"select count({column}) from"
        ours = both.execute(f"{counted} main.{table}").fetchall()
        assert both.execute(f"{counted} '{exported}/parquet/{table}.parquet'").fetchall() == ours


def frictionless(folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("frictionless")
    return subprocess.run(
        [tool, "validate", "datapackage.json"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_frictionless_tool_accepts_the_data_package(exported: Path) -> None:
    done = frictionless(exported)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("old", "new"), [("Policy", "Polity"), *further((",true,", ",perhaps,"))])
def test_the_frictionless_tool_detects_a_changed_text_or_type(
    exported: Path, tmp_path: Path, old: str, new: str
) -> None:
    """The tool checks schema and hashes: it reports every violation."""
    package = json.loads((exported / "datapackage.json").read_text(encoding="utf-8"))
    package["resources"] = [one for one in package["resources"] if one["name"] == "pillars"]
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    (tmp_path / "csv").mkdir()
    shutil.copy(exported / "csv" / "pillars.csv", tmp_path / "csv")
    assert frictionless(tmp_path).returncode == 0
    path = tmp_path / "csv" / "pillars.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert frictionless(tmp_path).returncode != 0


def test_the_checksums_equal_those_of_sha256sum(exported: Path) -> None:
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=exported, check=False)
    assert done.returncode == 0 and verified(exported)


def test_every_provider_of_a_figure_has_a_licence_file_with_its_licences(
    exported: Path, both: duckdb.DuckDBPyConnection
) -> None:
    rows = both.execute("select provider, list(distinct licence) from observations group by 1").fetchall()
    assert {path.stem for path in (exported / "licences").iterdir()} == {provider for provider, _ in rows}
    for provider, licences in rows:
        text = (exported / "licences" / f"{provider}.txt").read_text(encoding="utf-8")
        assert "Cite as: " in text
        for licence in licences:
            assert f"Licence: {licence}\n" in text


@pytest.mark.exhaustive
def test_an_export_over_an_earlier_one_gives_the_same_bytes(
    published_warehouse: Path, exported: Path, tmp_path: Path
) -> None:
    before = (exported / "SHA256SUMS").read_text()
    other = Path(shutil.copytree(exported, tmp_path / "again"))
    (other / "README.txt").write_text("scribbled over")
    done = run_carec("export", str(other), warehouse=published_warehouse, PYTHONHASHSEED="7", TZ="Asia/Almaty")
    assert done.returncode == 0, done.stderr
    assert (other / "SHA256SUMS").read_text() == before and verified(other)


@pytest.mark.parametrize("how", [signal.SIGKILL, *further(signal.SIGINT)])
def test_a_stopped_export_keeps_the_earlier_one_and_does_not_block_the_next(
    published_warehouse: Path, exported: Path, tmp_path: Path, how: signal.Signals
) -> None:
    other = Path(shutil.copytree(exported, tmp_path / "again"))
    environment = {"CAREC_WAREHOUSE": str(published_warehouse), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "export", str(other)], cwd=ROOT, env=environment, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 60
    while not list(other.glob(f"{UNFINISHED}*/new/csv/*.csv")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(how)
    _, text = process.communicate(timeout=60)
    assert process.returncode != 0 and b"Traceback" not in text
    left = list(other.glob(f"{UNFINISHED}*"))  # the next export deletes it: tests/unit/test_export.py
    assert bool(left) == (how is signal.SIGKILL)
    for folder in left:
        shutil.rmtree(folder)
    assert verified(other)


def test_a_folder_with_other_files_is_refused_with_one_line(published_warehouse: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run_carec("export", str(tmp_path), warehouse=published_warehouse)
    assert done.returncode == 2 and done.stdout == ""
    assert "holds other files, such as thesis.txt; name a new or an empty folder" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_misspelt_licence_is_refused_and_the_known_ones_are_named(published_warehouse: Path, tmp_path: Path) -> None:
    done = run_carec("export", str(tmp_path / "x"), "--include-licence", "CC BY-NC", warehouse=published_warehouse)
    assert done.returncode == 2 and "CC BY-NC-SA 3.0 IGO" in done.stderr
    assert not (tmp_path / "x").exists()


def _sheets(path: Path) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


@pytest.fixture(scope="module")
def workbook(exported: Path) -> dict[str, list[list[Any]]]:
    return _sheets(exported / "carec.xlsx")


def test_the_workbook_has_the_rows_and_types_of_the_published_file(
    workbook: dict[str, list[list[Any]]], both: duckdb.DuckDBPyConnection
) -> None:
    kinds = {"VARCHAR": str, "DOUBLE": float, "INTEGER": float, "BIGINT": float, "BOOLEAN": bool}
    for table, columns in tables(both).items():
        parts = [rows for name, rows in workbook.items() if name.partition("-")[0] == table]
        sheet = [parts[0][0], *(row for part in parts for row in part[1:])]
        ((count,),) = both.execute(f"select count(*) from main.{table}").fetchall()
        assert len(sheet) - 1 == count
        for number, (column, kind) in enumerate(columns):
            if kind in kinds:
                found = {type(row[number]) for row in sheet[1:] if row[number] != ""}
                assert found <= {kinds[kind]}, (table, column)
    assert isinstance(workbook["publication"][1][0], datetime)


def test_a_sheet_of_economies_has_the_members_and_the_other_framework_has_its_own(
    workbook: dict[str, list[list[Any]]],
) -> None:
    for table in ("scorecard", "indicator_scores", "rank_scenarios"):
        (own, *rows), (other, *others) = workbook[table], workbook[f"{table}-un_egdi"]
        at = own.index("framework_id")
        assert own == other
        assert {row[at] for row in rows} == {"carec_2030"} and {row[at] for row in others} == {"un_egdi"}
    heads, *rows = workbook["v_members"]
    assert heads[:9] == ["rank", "member", "iso3", "score", "p1", "p2", "p3", "p4", "p5"] and len(rows) == 11


def test_the_quick_start_for_spreadsheets_names_existing_sheets_files_and_columns(
    exported: Path, workbook: dict[str, list[list[Any]]]
) -> None:
    """Power Query runs only in Excel: the test checks the file and the column that its code names."""
    document = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    section = document.partition("## Excel")[2].partition("\n## ")[0]
    assert list(workbook)[1] == "v_members" and "`v_members`" in section
    assert set(re.findall(r"`(\w+-un_egdi)`", section)) <= set(workbook)
    (query,) = re.findall(r"```powerquery\n(.*?)```", section, re.DOTALL)
    (path,) = re.findall(r"carec\W+parquet\W+(\w+\.parquet)", query)
    (column,) = re.findall(r"each \[(\w+)\]", section)
    names: dict[str, Any] = {}
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    exec(compile(code.replace("DIR/", f"{exported}/"), "quickstart.md", "exec"), names)
    assert (exported / "parquet" / path).exists() and set(names["frame"][column]) == {"UZB"}


def test_header_rows_are_frozen_scores_have_one_decimal_and_missing_values_no_cell(exported: Path) -> None:
    with zipfile.ZipFile(exported / "carec.xlsx") as book:
        parts = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        frozen = [name for name in parts if b'ySplit="1"' in book.read(name) and b'state="frozen"' in book.read(name)]
        assert len(frozen) == len(parts) - 1  # all but the readme
        assert b'formatCode="0.0"' in book.read("xl/styles.xml")
        # the links of the readme have cells of a style alone
        assert not [name for name in parts[1:] if re.search(rb'<c r="[A-Z]+[0-9]+"[^>]*/>', book.read(name))]


def test_the_readme_sheet_is_first_and_lists_omitted_values_with_their_licences(
    workbook: dict[str, list[list[Any]]],
) -> None:
    assert next(iter(workbook)) == "readme"
    text = " ".join(str(cell) for row in workbook["readme"] for cell in row)
    assert "raw values are left out" in text and f"As of {AS_OF}" in text
    heads, *rights = workbook["licences"]
    noted = [dict(zip(heads, row, strict=True)) for row in rights]
    assert any(one["terms"] == "non_commercial" and one["withheld"] == one["figures"] for one in noted)
    assert all(one["reason"] for one in noted)


@pytest.mark.exhaustive
@pytest.mark.skipif(SOFFICE is None, reason="no LibreOffice on this machine (apt-get install libreoffice-calc)")
def test_libreoffice_opens_the_workbook_with_every_cell_unchanged(
    exported: Path, workbook: dict[str, list[list[Any]]], tmp_path: Path
) -> None:
    assert SOFFICE is not None
    done = subprocess.run(
        [
            SOFFICE,
            f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            "ods",
            "--outdir",
            str(tmp_path),
            str(exported / "carec.xlsx"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (tmp_path / "carec.ods").exists(), done.stderr
    opened = _sheets(tmp_path / "carec.ods")
    assert list(opened) == list(workbook)
    for name, sheet in workbook.items():
        assert len(opened[name]) == len(sheet), name
        for row, (ours, theirs) in enumerate(zip(sheet, opened[name], strict=True)):
            for here, there in zip(ours, theirs, strict=False):
                assert _same(here, there), (name, row, here, there)
    assert _shown(tmp_path / "carec.ods", "indicator_scores")


def _same(here: Any, there: Any) -> bool:
    """Compare up to the precision of LibreOffice: 15 digits, hundredths of a second, and truth values as numbers."""
    if isinstance(here, datetime) and isinstance(there, datetime):
        return abs(here - there) <= timedelta(seconds=0.01)
    if isinstance(here, float) and isinstance(there, float):
        return here == pytest.approx(there, rel=1e-14)
    return bool(here == there) if isinstance(here, bool) else type(here) is type(there) and here == there


def _shown(path: Path, sheet: str) -> bool:
    """Return whether scores are shown with one decimal and truth values as words."""
    with zipfile.ZipFile(path) as book:
        content = book.read("content.xml").decode()
    scores = re.search(rf'table:name="{sheet}".*?</table:table>', content, re.DOTALL)
    pillars = re.search(r'table:name="pillars".*?</table:table>', content, re.DOTALL)
    assert scores and pillars
    shown = re.findall(r'office:value="[\d.]+"[^>]*><text:p>(\d+\.\d)</text:p>', scores[0])
    return len(shown) > 200 and "<text:p>TRUE</text:p>" in pillars[0]


def test_the_description_for_machine_learning_is_valid_and_reads_the_tables(
    exported: Path, both: duckdb.DuckDBPyConnection
) -> None:
    import mlcroissant  # takes half a second of every process that only collects the tests

    dataset = mlcroissant.Dataset(exported / "croissant.json")
    issues = dataset.metadata.ctx.issues
    assert (set(issues.errors), set(issues.warnings)) == (set(), set())
    assert {record_set.name for record_set in dataset.metadata.record_sets} == set(tables(both))
    read = {row["pillars/pillar_id"].decode(): row["pillars/title"].decode() for row in dataset.records("pillars")}
    assert read == dict(both.execute("select pillar_id, title from pillars").fetchall())
    scored = [row["scorecard/overall_score"] for row in dataset.records("scorecard")]
    ((count, total),) = both.execute("select count(*), sum(overall_score) from scorecard").fetchall()
    assert len(scored) == count
    assert sum(score for score in scored if score is not None) == pytest.approx(total)
    licences = json.loads((exported / "datapackage.json").read_text(encoding="utf-8"))["licenses"]
    assert set(dataset.metadata.license) == {one.get("path", one["title"]) for one in licences}
