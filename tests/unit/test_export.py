"""Exports: included and omitted values, and the content of every file."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from sources.catalogue import load_catalogue
from warehouse.export.folder import UNFINISHED, NotAnExport
from warehouse.export.licences import TERMS, UnknownName
from warehouse.export.package import Exported, export
from warehouse.export.rights import Attribution
from warehouse.export.sdmx.codelists import OBS_STATUS
from warehouse.export.sdmx.queries import load_flags

OPEN, CLOSED, UNLISTED = "CC BY 4.0", "CC BY-NC-SA 3.0 IGO", "a licence that is not listed"
HOSTILE = ("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "plain")
NOTICES = [Attribution("giver", "The Giver", OPEN, "https://example.org/by", "The Giver, data.", "https://example.org")]


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Return a small publication: three indicators under three licences, and texts that a spreadsheet would execute."""
    path = tmp_path / "carec.duckdb"
    with duckdb.connect(str(path)) as c:
        c.execute(
            "create table publication as select timestamp '2026-11-23 12:30:45.5' published_at,"
            " date '2026-11-23' as_of, 'f' as fingerprint"
        )
        c.execute("create table indicators (indicator_id varchar, licence varchar)")
        c.execute(
            "create table observations (iso3 varchar, indicator_id varchar, year integer, value double,"
            " provider varchar, licence varchar)"
        )
        c.execute(
            "create table indicator_scores (framework_id varchar, iso3 varchar, indicator_id varchar,"
            " baseline_value double, latest_value double, observed_annual_change double,"
            " required_annual_change double, required_annual_change_from_now double, projection double,"
            " projection_low double, projection_high double, level_score double)"
        )
        for indicator, licence, provider in (
            ("free", OPEN, "giver"),
            ("held", CLOSED, "keeper"),
            ("odd", UNLISTED, "x"),
        ):
            c.execute("insert into indicators values (?, ?)", [indicator, licence])
            c.execute(
                "insert into observations values ('KAZ', ?, 2024, 12.34567, ?, ?)", [indicator, provider, licence]
            )
            c.execute("insert into indicator_scores values ('f', 'KAZ', ?, 1, 2, 3, 4, 5, 6, 7, 8, 55.5)", [indicator])
        c.execute("create table texts (n integer, text varchar, is_good boolean, seen date, score double)")
        for number, text in enumerate(HOSTILE):
            c.execute("insert into texts values (?, ?, true, '2026-01-02', -1.5)", [number, text])
        c.execute("comment on column texts.text is 'What was written'")
    return path


@pytest.fixture
def exported(published: Path, tmp_path: Path) -> Path:
    return export(published, tmp_path / "out", NOTICES).directory


def rows(directory: Path, table: str) -> list[dict[str, str]]:
    with (directory / "csv" / f"{table}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def values(directory: Path) -> dict[str, str]:
    return {row["indicator_id"]: row["value"] for row in rows(directory, "observations")}


def test_raw_values_without_an_open_licence_are_left_out_and_the_licence_is_named(exported: Path) -> None:
    assert values(exported) == {"free": "12.34567", "held": "", "odd": ""}
    noted = {row["indicator_id"]: row["withheld"] for row in rows(exported, "observations")}
    assert noted == {"free": "", "held": CLOSED, "odd": UNLISTED}


def test_scores_are_kept_if_their_values_are_left_out(exported: Path) -> None:
    by_indicator = {row["indicator_id"]: row for row in rows(exported, "indicator_scores")}
    assert {row["level_score"] for row in by_indicator.values()} == {"55.5"}
    raw = set(by_indicator["free"]) - {"framework_id", "iso3", "indicator_id", "level_score", "withheld", "restricted"}
    assert all(by_indicator["free"][column] and not by_indicator["held"][column] for column in raw)


@pytest.mark.parametrize(
    ("choice", "given"),
    [
        ({"providers": ["keeper"]}, {"free", "held"}),
        ({"licences": [CLOSED]}, {"free", "held"}),
        ({"licences": [UNLISTED], "providers": ["keeper"]}, {"free", "held", "odd"}),
    ],
)
def test_values_are_included_by_naming_their_provider_or_licence(
    published: Path, tmp_path: Path, choice: dict[str, list[str]], given: set[str]
) -> None:
    done: Exported = export(published, tmp_path / "out", NOTICES, **choice)
    assert {indicator for indicator, value in values(done.directory).items() if value} == given
    assert done.figures == len(given) and sum(done.withheld.values()) == 3 - len(given)
    assert sum(done.restricted.values()) == len(given) - 1


def test_values_included_on_request_are_marked(published: Path, tmp_path: Path) -> None:
    done = export(published, tmp_path / "out", NOTICES, providers=["keeper"])
    for table in ("observations", "indicator_scores"):
        marks = {row["indicator_id"]: (row["withheld"], row["restricted"]) for row in rows(done.directory, table)}
        assert marks == {"free": ("", ""), "held": ("", CLOSED), "odd": (UNLISTED, "")}
    readme = (done.directory / "README.txt").read_text(encoding="utf-8")
    assert "1 raw values whose licence is not open are here because they were asked for" in readme
    assert "mind the terms" in (done.directory / "licences" / "keeper.txt").read_text(encoding="utf-8")
    licences = json.loads((done.directory / "datapackage.json").read_text(encoding="utf-8"))["licenses"]
    assert [one["title"] for one in licences] == [OPEN, CLOSED]


def test_a_misspelt_provider_or_licence_is_an_error_that_names_the_known_ones(published: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="giver; keeper"):
        export(published, tmp_path / "out", NOTICES, providers=["kepper"])
    with pytest.raises(UnknownName, match=r"CC BY 4\.0"):
        export(published, tmp_path / "out", NOTICES, licences=["CC BY"])
    assert not (tmp_path / "out").exists()


def test_texts_that_a_spreadsheet_would_execute_are_inert_in_csv_and_workbook(exported: Path) -> None:
    texts = [row["text"] for row in rows(exported, "texts")]
    assert texts == [*("'" + text for text in HOSTILE[:-1]), "plain"]
    assert {row["score"] for row in rows(exported, "texts")} == {"-1.5"}  # a number stays a number
    sheet = CalamineWorkbook.from_path(str(exported / "carec.xlsx")).get_sheet_by_name("texts").to_python()
    assert [row[1] for row in sheet[1:]] == texts
    assert pl.read_parquet(exported / "parquet" / "texts.parquet")["text"].to_list() == list(HOSTILE)


def test_a_workbook_keeps_types_and_has_one_sheet_per_table_after_the_introduction(exported: Path) -> None:
    book = CalamineWorkbook.from_path(str(exported / "carec.xlsx"))
    by_use = ["indicator_scores", "observations", "indicators", "publication", "texts"]
    assert book.sheet_names == ["readme", *by_use, "columns", "licences"]
    number, text, good, seen, score = book.get_sheet_by_name("texts").to_python()[-1]
    assert (number, text, good, seen, score) == (5, "plain", True, date(2026, 1, 2), -1.5)
    assert isinstance(book.get_sheet_by_name("publication").to_python()[1][0], datetime)
    text = " ".join(str(cell) for row in book.get_sheet_by_name("readme").to_python() for cell in row)
    assert "2 raw values are left out" in text and "As of 2026-11-23" in text
    keeper = next(row for row in book.get_sheet_by_name("licences").to_python() if row[0] == "keeper")
    assert CLOSED in keeper and "non_commercial" in keeper


def test_a_workbook_has_the_members_first_and_another_framework_on_a_sheet_of_its_own(
    published: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(published)) as c:
        c.execute("create table economies as select unnest(['KAZ', 'USA']) as iso3, unnest([true, false]) as is_member")
        c.execute(
            "create table economy_groups as"
            " select unnest(['us', 'all', 'all']) as group_id, unnest(['KAZ', 'KAZ', 'USA']) as iso3"
        )
        c.execute(
            "create table frameworks as select unnest(['f', 'g']) framework_id, unnest(['us', 'all']) scored_group"
        )
        c.execute("insert into indicator_scores (framework_id, iso3, level_score) values ('g', 'USA', 1)")
        c.execute("create view v_members as select 'KAZ' as iso3, 55.5 as score")
        c.execute("comment on view v_members is 'One row per member'")
    book = CalamineWorkbook.from_path(str(export(published, tmp_path / "out", NOTICES).directory / "carec.xlsx"))
    assert book.sheet_names[:4] == ["readme", "v_members", "indicator_scores", "indicator_scores-g"]
    assert {row[0] for row in book.get_sheet_by_name("indicator_scores").to_python()[1:]} == {"f"}
    assert [row[:2] for row in book.get_sheet_by_name("indicator_scores-g").to_python()[1:]] == [["g", "USA"]]
    assert len(book.get_sheet_by_name("frameworks").to_python()) == 3
    readme = [row for row in book.get_sheet_by_name("readme").to_python() if row[0] in ("v_members", "columns")]
    assert readme[0] == ["v_members", "One row per member"] and readme[1][0] == "columns"


def test_a_text_too_long_for_a_cell_is_cut_with_a_note(published: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute("insert into texts values (99, repeat('x', 40000), true, null, null)")
    out = export(published, tmp_path / "out", NOTICES).directory
    cell = CalamineWorkbook.from_path(str(out / "carec.xlsx")).get_sheet_by_name("texts").to_python()[-1][1]
    assert len(cell) == 32767 and cell.endswith("x … (cut: CSV and Parquet have all)")
    assert rows(out, "texts")[-1]["text"] == "x" * 40000


def test_the_same_publication_gives_the_same_bytes(published: Path, tmp_path: Path) -> None:
    def digests(directory: Path) -> dict[str, str]:
        files = (path for path in directory.rglob("*") if path.is_file())
        return {str(f.relative_to(directory)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}

    first = digests(export(published, tmp_path / "a", NOTICES).directory)
    assert len(first) > 10
    assert digests(export(published, tmp_path / "b", NOTICES).directory) == first


def test_checksums_cover_every_file(exported: Path) -> None:
    assert verified(exported)


def test_the_data_package_describes_the_columns_and_lists_no_omitted_licence(exported: Path) -> None:
    package = json.loads((exported / "datapackage.json").read_text(encoding="utf-8"))
    texts = next(one for one in package["resources"] if one["name"] == "texts")
    assert {"name": "text", "type": "string", "description": "What was written"} in texts["schema"]["fields"]
    assert [licence["title"] for licence in package["licenses"]] == [OPEN]
    assert package["created"] == "2026-11-23T12:30:45Z"


def test_each_provider_has_a_licence_file(exported: Path) -> None:
    assert {path.name for path in (exported / "licences").iterdir()} == {"giver.txt", "keeper.txt", "x.txt"}
    text = (exported / "licences" / "giver.txt").read_text(encoding="utf-8")
    assert "Cite as: The Giver, data." in text and "https://example.org/by" in text
    assert "1 of their values are left out" in (exported / "licences" / "keeper.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("over_an_export", [False, True])
def test_a_folder_with_other_files_is_not_changed(published: Path, tmp_path: Path, over_an_export: bool) -> None:
    mine = tmp_path / "mine"
    if over_an_export:
        export(published, mine, NOTICES)
    (mine / "csv").mkdir(parents=True, exist_ok=True)
    (mine / "csv" / "thesis.txt").write_text("years of work")
    before = sorted(mine.rglob("*"))
    with pytest.raises(NotAnExport, match=r"holds other files, such as csv/thesis\.txt"):
        export(published, mine, NOTICES)
    assert sorted(mine.rglob("*")) == before
    with pytest.raises(NotAnExport, match="is a file"):
        export(published, mine / "csv" / "thesis.txt", NOTICES)


def test_an_earlier_export_is_replaced_without_leftovers(published: Path, tmp_path: Path) -> None:
    first = export(published, tmp_path / "out", NOTICES, providers=["keeper"]).directory
    with duckdb.connect(str(published)) as connection:
        connection.execute("drop table texts")
    export(published, first, NOTICES)
    assert values(first)["held"] == ""
    assert not (first / "csv" / "texts.csv").exists()
    assert verified(first)
    assert [path.name for path in first.iterdir() if path.name.startswith(".")] == []


def verified(directory: Path) -> bool:
    """Return whether the checksums cover and match every file."""
    listed = dict(line.split("  ")[::-1] for line in (directory / "SHA256SUMS").read_text().splitlines())
    files = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    return set(listed) == set(files) - {"SHA256SUMS"} and all(
        hashlib.sha256(files[name].read_bytes()).hexdigest() == digest for name, digest in listed.items()
    )


@pytest.mark.parametrize("moment", ["package.write_workbook", "folder.checksums"])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError("disk full")])
def test_an_interrupted_export_leaves_no_partial_export(
    published: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    interruption: type[BaseException] | BaseException,
) -> None:
    earlier = export(published, tmp_path / "earlier", NOTICES).directory
    (tmp_path / "empty").mkdir()

    def interrupt(*_: object) -> None:
        raise interruption

    with monkeypatch.context() as patched:
        patched.setattr(f"warehouse.export.{moment}", interrupt)
        for folder in ("new", "empty", "earlier"):
            with pytest.raises((KeyboardInterrupt, OSError)):
                export(published, tmp_path / folder, NOTICES, providers=["keeper"])
    assert not (tmp_path / "new").exists()
    assert list((tmp_path / "empty").iterdir()) == []
    assert verified(earlier) and values(earlier)["held"] == ""


def test_the_files_of_a_killed_export_are_deleted(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    left = folder / f"{UNFINISHED}abc" / "new"
    left.mkdir(parents=True)
    (left / "half.csv").write_text("half")
    (folder / "csv").mkdir()
    (folder / "csv" / "texts.csv").write_text("moved before the kill")
    export(published, folder, NOTICES)
    assert verified(folder) and not left.exists()


def test_a_column_of_another_type_is_exported_as_text(published: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute(
            "create table odd as select ['=a', 'b'] as list, 1.50::decimal(9, 2) as price, 7::hugeint as n"
        )
    out = export(published, tmp_path / "out", NOTICES).directory
    assert rows(out, "odd") == [{"list": "['=a', b]", "price": "1.50", "n": "7"}]
    assert CalamineWorkbook.from_path(str(out / "carec.xlsx")).get_sheet_by_name("odd").to_python()[1][1:] == [1.5, 7]
    resources = json.loads((out / "datapackage.json").read_text(encoding="utf-8"))["resources"]
    fields = next(one for one in resources if one["name"] == "odd")["schema"]["fields"]
    assert [field["type"] for field in fields] == ["string", "number", "integer"]


def _listed() -> Iterator[str]:
    with TERMS.open(encoding="utf-8", newline="") as handle:
        yield from (row["licence"] for row in csv.DictReader(handle))


def test_every_licence_of_the_catalogue_has_terms() -> None:
    assert {indicator.licence for indicator in load_catalogue()} <= set(_listed())


def test_every_flag_of_the_standard_table_has_one_code_and_another_flag_is_named() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table observations (provider varchar, obs_status varchar)")
        connection.execute("insert into observations values ('un_sdg', 'C'), ('un_sdg', 'ZZ'), ('giver', null)")
        assert load_flags(connection) == ["un_sdg ZZ"]
        keys = connection.execute("select count(*), count(distinct provider || ' ' || flag) from flags").fetchall()
        assert keys[0][0] == keys[0][1] > 10
        used = {row[0] for row in connection.execute("select distinct obs_status from flags").fetchall()}
        assert used <= set(OBS_STATUS)
