"""The claim register: it covers the document, and its faults give clear messages."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import duckdb
import pytest
from jinja2 import Environment

from pipelines.cli.claim_tests import trend
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError
from tests.conftest import ROOT
from tests.seed_copies import check_seeds, copy_seeds

SEEDS = ROOT / "dbt_project" / "seeds"
RECOMMENDATIONS_FROM = 168
"""From this line on, the document makes recommendations and no claims."""


def claims() -> list[dict[str, str]]:
    with (SEEDS / "claims.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def lines_of(claim: dict[str, str]) -> list[int]:
    parts = [part.split("-") for part in claim["document_line"].split(";")]
    return [line for part in parts for line in range(int(part[0]), int(part[-1]) + 1)]


@pytest.fixture(scope="module")
def document() -> dict[int, str]:
    """Return the lines of the document by number, without recommendations."""
    folder = ROOT.parent / "shared" / "seed"
    found = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    if not found:
        pytest.skip("the document is not next to this checkout")
    text = found[0].read_text(encoding="utf-8").splitlines()
    return dict(list(enumerate(text, start=1))[: RECOMMENDATIONS_FROM - 1])


NUMBER = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)\s?(M\b|B\b|million|billion)?(?!\d)(?!G\b)")
SCALE = {"": 1.0, "M": 1e6, "million": 1e6, "B": 1e9, "billion": 1e9}


def numbers(text: str) -> set[float]:
    """Return every number of a text as a figure, such as ``$500M`` and ``500,000``. ``5G`` is not a number."""
    return {
        round(float(digits.replace(",", "")) * SCALE[scale], 6)
        for digits, scale in NUMBER.findall(text.replace("\\", ""))
        if digits.strip(",")
    }


def accounted(claim: dict[str, str]) -> set[float]:
    figures = {abs(float(claim[c])) for c in ("value", "value_year", "baseline_value", "baseline_year") if claim[c]}
    return figures | numbers(claim["statement"]) | numbers(claim["section"])


def test_numbers_are_found_in_every_format_of_the_document() -> None:
    text = r"\$500M to 96%; 3.837M 5G stations; (1 million students), 50,000+; 79th to 48th; 2020–2025; 2030 Mid; ~40%"
    assert numbers(text) == {5e8, 96, 3837000, 1e6, 50000, 79, 48, 2020, 2025, 2030, 40}


def test_every_number_of_the_document_is_in_the_register(document: dict[int, str]) -> None:
    known: dict[int, set[float]] = {}
    for claim in claims():
        for line in lines_of(claim):
            known.setdefault(line, set()).update(accounted(claim))
    missing = {
        line: sorted(lost)
        for line, text in document.items()
        if not text.startswith("#") and (lost := numbers(text) - known.get(line, set()))
    }
    assert not missing


def test_every_line_with_a_claim_has_its_row(document: dict[int, str]) -> None:
    registered = {line for claim in claims() for line in lines_of(claim)}
    silent = {}
    for line, text in document.items():
        bare = re.sub(r"[*\s-]", "", text)
        is_heading = text.startswith("#") or bare.endswith(":") or not bare
        is_question = bare.endswith("?")
        if line not in registered and not is_heading and not is_question:
            silent[line] = text
    assert not silent


def test_no_claim_points_to_a_line_without_a_claim(document: dict[int, str]) -> None:
    empty = {c["claim_id"] for c in claims() if not any(document.get(line, "").strip() for line in lines_of(c))}
    assert not empty


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", re.sub(r"[*\\\\]", "", text).lower())


def test_no_statement_copies_the_wording_of_the_document(document: dict[int, str]) -> None:
    """No statement repeats a line, except for names and figures. A name of the document has up to seven words."""
    lines = {line: f" {' '.join(words(text))} " for line, text in document.items()}
    repeated = {}
    for claim in claims():
        statement = words(claim["statement"])
        runs = [" ".join(statement[at : at + 8]) for at in range(max(len(statement) - 7, 1))]
        if any(f" {run} " in lines.get(line, "") for run in runs for line in lines_of(claim)):
            repeated[claim["claim_id"]] = claim["statement"]
    assert not repeated


def test_every_section_is_the_heading_above_its_line(document: dict[int, str]) -> None:
    wrong = {}
    for claim in claims():
        above = [document[line] for line in range(1, lines_of(claim)[0] + 1) if document.get(line, "").startswith("#")]
        chapter = [heading for heading in above if heading.startswith("# ")][-1]
        if claim["section"] not in [heading.lstrip("# ").rstrip() for heading in (above[-1], chapter)]:
            wrong[claim["claim_id"]] = claim["section"]
    assert not wrong


# The printed numbers of the document, copied line by line: line -> (claim, comparator, value, year)
PRINTED = """
34 hl-region-internet-use eq 70 2025
37 hl-geo-elearning-students eq 500000 -
37 hl-uzb-elearning-students eq 1000000 -
37 hl-pak-ict-graduates gte 50000 -
37 hl-pak-ict-export-markets gte 170 -
52 p1-kaz-programme-investment eq 500000000 -
52 p1-kaz-internet-use eq 96 -
53 p1-uzb-programme-investment eq 1000000000 -
53 p1-uzb-internet-coverage eq 75 -
54 p1-geo-private-funds gt 100000000 -
55 p1-chn-grants-pledged eq 209000000 -
92 p3-kaz-fibre-investment eq 200000000 -
93 p3-uzb-infrastructure-investment eq 300000000 -
95 p3-chn-5g-base-stations eq 3837000 2024
97 p3-kgz-tunduk-agencies gt 70 -
108 p4-geo-digital-literacy eq 85 -
109 p4-uzb-ict-training-participants gt 500000 2023
109 p4-uzb-ict-training-women eq 40 2023
110 p4-kaz-digital-literacy eq 92.8 -
129 p5-gii-chn eq 11 2024
129 p5-gii-chn-income-group eq 1 2024
129 p5-gii-kaz eq 48 -
129 p5-gii-aze eq 53 -
129 p5-gii-geo eq 57 -
129 p5-gii-kgz eq 99 -
129 p5-gii-tjk eq 107 -
129 p5-gii-pak eq 91 -
129 p5-gii-uzb eq 83 -
136 sec-uzb-telemedicine gt 2000000 -
136 sec-kaz-telemedicine-coverage eq 75 -
138 sec-geo-elearning-students eq 500000 -
139 sec-uzb-education-students eq 1000000 -
141 sec-cats-transit-speed approx 40 -
142 sec-rail-transit-time approx -30 -
142 sec-rail-delays eq -40 -
142 sec-rail-freight-volume eq 15 -
143 sec-kaz-single-window-clearance eq -30 -
143 sec-kgz-eccs-clearance eq -30 -
145 sec-pak-raast-transactions gt 892000000 2025
153 xb-satellite-response-time eq -20 -
158 em-kaz-ai-farming-yield eq 15 -
"""
BASELINES = {
    # claim: comparator, value and year as printed
    "hl-region-internet-use": ("lt", 50, "2019"),
    "p4-geo-digital-literacy": ("", 60, ""),
    "p5-gii-kaz": ("", 79, ""),
    "p5-gii-aze": ("", 82, ""),
}


def test_every_figure_equals_the_printed_one() -> None:
    printed = {}
    for line, claim_id, comparator, value, year in map(str.split, PRINTED.strip().splitlines()):
        printed[claim_id] = (line, comparator, float(value), "" if year == "-" else year)
    numeric = [c for c in claims() if c["value"]]
    assert {
        c["claim_id"]: (c["document_line"], c["comparator"], float(c["value"]), c["value_year"]) for c in numeric
    } == printed
    assert {
        c["claim_id"]: (c["baseline_comparator"], float(c["baseline_value"]), c["baseline_year"])
        for c in numeric
        if c["baseline_value"]
    } == BASELINES


def test_every_claim_without_a_number_is_a_milestone_or_a_direction() -> None:
    for claim in claims():
        if not claim["value"]:
            assert (claim["measure"] == "milestone") != bool(claim["direction"]), claim["claim_id"]


def test_every_milestone_has_its_type() -> None:
    with (SEEDS / "milestone_types.csv").open(encoding="utf-8", newline="") as handle:
        typed = {row["claim_id"] for row in csv.DictReader(handle)}
    assert typed == {c["claim_id"] for c in claims() if c["measure"] == "milestone"}


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    return copy_seeds(tmp_path)


def alter(seeds: Path, file: str, claim_id: str, column: str, cell: str) -> int:
    """Write a cell of the row that has the given entry in its first column. Return its line number."""
    path = seeds / file
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    position = next(i for i, row in enumerate(rows) if next(iter(row.values())) == claim_id)
    rows[position][column] = cell
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return position + 2


def fault(seeds: Path) -> str:
    with pytest.raises(ConfigurationError) as raised:
        check_seeds(seeds)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_the_register_has_no_fault(seeds: Path) -> None:
    check_seeds(seeds)


@pytest.mark.parametrize(
    ("file", "column", "cell", "expected"),
    [
        ("claims.csv", "value", "ninety-six", "must be a number, not 'ninety-six'"),
        ("claims.csv", "value", "nan", "must be a finite number"),
        ("claims.csv", "value", "500,000", "must be a number"),
        ("claims.csv", "value_year", "24", "must be at least 1990"),
        ("claims.csv", "unit", "furlong", "'furlong' is not in claim_units.csv"),
        ("claims.csv", "unit", "", "a value needs its unit"),
        ("claims.csv", "country_iso3", "KZ", "pattern"),
        ("claims.csv", "country_iso3", "DEU", "'DEU' is not in economies.csv"),
        ("claims.csv", "comparator", "about", "gte, lt, lte, range, not 'about'"),
        ("claims.csv", "comparator", "range", "needs baseline_value and value"),
        ("claims.csv", "pillar", "6", "emerging, region, not '6'"),
        ("claims.csv", "checkable_with", "a guess", "pattern"),
        ("claims.csv", "statement", "", "is empty: a value is required"),
        ("claim_evidence.csv", "indicator_id", "internet_user_pct", "is not in indicators.yml"),
        ("claim_evidence.csv", "kind", "guess", "is not in claim_kinds.csv"),
        ("claim_evidence.csv", "kind", "product", "needs the second series"),
        ("claim_evidence.csv", "definition_match", "", "is empty: a value is required"),
        ("claim_evidence.csv", "tolerance", "-1", "must be at least 0"),
        ("claim_evidence.csv", "window_year", "2024.5", "must be a whole number"),
        ("claim_evidence.csv", "variant", "mean", "is not in region_variants.csv"),
        ("claim_evidence.csv", "definition_match", "alike", "same, similar, different, not 'alike'"),
        ("claim_evidence.csv", "indicator_id", "internet_users", "similar entries are internet_users_pct"),
        ("claim_leads.csv", "source_url", "see the web", "pattern"),
        ("claim_leads.csv", "seen", "yes", "excerpt, general_knowledge, not 'yes'"),
    ],
)
def test_a_malformed_row_gives_one_line_with_file_line_claim_and_column(
    seeds: Path, file: str, column: str, cell: str, expected: str
) -> None:
    line = alter(seeds, file, "p1-kaz-internet-use", column, cell)
    message = fault(seeds)
    assert f"{file}:{line}: p1-kaz-internet-use" in message and ": column " in message
    assert expected in message


@pytest.mark.parametrize(
    ("file", "entry", "column", "cell", "expected"),
    [
        ("claims.csv", "p5-gii-kaz", "value", "48.5", "a rank is a whole number from 1, not '48.5'"),
        ("claims.csv", "p5-gii-kaz", "baseline_value", "0", "a rank is a whole number from 1, not '0'"),
        ("claim_units.csv", "percent", "factor", "0", "must be greater than 0"),
        ("claim_units.csv", "percent", "tolerance_basis", "about", "points, relative, not 'about'"),
        ("claim_kinds.csv", "value", "is_level", "perhaps", "must be true or false"),
        ("claim_kinds.csv", "change", "figure_unit", "per cent", "'per cent' is not in claim_units.csv"),
        ("claim_parameters.csv", "last_year", "value", "soon", "must be a number"),
        ("claim_parameters.csv", "last_year", "parameter", "final_year", "min_members_share, not 'final_year'"),
        ("claim_inconsistencies.csv", "tunduk-border", "claim_ids", "p3-kgz;x y", "pattern"),
        ("claim_inconsistencies.csv", "tunduk-border", "claim_ids", "p3-kgz-tunduk", "is not in claims.csv"),
        ("claim_duplicates.csv", "em-pak-solar-towers", "relation", "twin", "other_meaning, part_of, not 'twin'"),
        ("milestone_types.csv", "p1-dssc-2021", "subtheme_id", "9z", "'9z' is not in subthemes.csv"),
        ("edition_releases.csv", "gii_rank", "released_on", "July", "must be a date like 2025-06-26"),
    ],
)
def test_a_fault_in_any_table_of_the_register_gives_line_entry_and_column(
    seeds: Path, file: str, entry: str, column: str, cell: str, expected: str
) -> None:
    line = alter(seeds, file, entry, column, cell)
    message = fault(seeds)
    assert f"{file}:{line}: " in message and f"column {column}: " in message
    assert expected in message


def test_a_number_is_multiplied_with_a_share_only(seeds: Path) -> None:
    alter(seeds, "claim_evidence.csv", "hl-geo-elearning-students", "with_indicator_id", "gii_rank")
    assert "column with_indicator_id: ceiling needs a share, but 'gii_rank' is in rank" in fault(seeds)


def test_a_missing_parameter_is_reported(seeds: Path) -> None:
    path = seeds / "claim_parameters.csv"
    lines = [x for x in path.read_text(encoding="utf-8").splitlines() if not x.startswith("window_years")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert "column parameter: 'window_years' is missing" in fault(seeds)


def test_an_empty_table_is_reported(seeds: Path) -> None:
    path = seeds / "claims.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert "claims.csv: has no rows" in fault(seeds)


def test_a_claim_may_be_made_in_every_unit_of_the_catalogue() -> None:
    with (SEEDS / "claim_units.csv").open(encoding="utf-8", newline="") as handle:
        units = {row["unit"] for row in csv.DictReader(handle)}
    assert not {indicator.unit for indicator in load_catalogue().indicators.values()} - units


def test_a_range_that_ends_before_it_begins_is_reported(seeds: Path) -> None:
    alter(seeds, "claims.csv", "p2-mng-digital-nation", "value_year", "2021")
    assert "column baseline_year: the start of a range is after its end (value_year), not '2022'" in fault(seeds)


def test_a_repeated_claim_is_reported_with_both_lines(seeds: Path) -> None:
    alter(seeds, "claims.csv", "p5-gii-kaz", "claim_id", "p5-gii-chn")
    assert re.search(r"column claim_id: line \d+ has the same claim_id: remove one of the two rows", fault(seeds))


def test_evidence_for_a_deleted_claim_is_reported(seeds: Path) -> None:
    alter(seeds, "claims.csv", "p5-gii-kaz", "claim_id", "p5-gii-kazakhstan")
    assert "column claim_id: 'p5-gii-kaz' is not in claims.csv" in fault(seeds)


def test_a_row_with_too_many_cells_is_reported(seeds: Path) -> None:
    path = seeds / "claims.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] += ",and more"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert "claims.csv:2: meta-mtr-preliminary: more cells than the 18 columns" in fault(seeds)


def test_a_missing_column_is_reported(seeds: Path) -> None:
    path = seeds / "claim_duplicates.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("relation", "relatoin", 1), encoding="utf-8")
    assert "claim_duplicates.csv:1: column relation: is missing" in fault(seeds)


@pytest.mark.parametrize(
    ("file", "column"), [("economies.csv", "is_member"), ("economies.csv", "iso3"), ("region_variants.csv", "variant")]
)
def test_a_missing_column_of_a_table_that_others_refer_to_is_reported(seeds: Path, file: str, column: str) -> None:
    path = seeds / file
    path.write_text(path.read_text(encoding="utf-8").replace(column, "other", 1), encoding="utf-8")
    assert f"{file}:1: column {column}: is missing" in fault(seeds)


def test_a_byte_that_is_not_utf_8_is_reported_with_line_claim_and_column(seeds: Path) -> None:
    line = alter(seeds, "claims.csv", "p5-gii-kaz", "statement", "Kazakhstan, rang 48, caf@")
    path = seeds / "claims.csv"
    path.write_bytes(path.read_bytes().replace(b"caf@", b"caf\xe9"))
    assert f"claims.csv:{line}: p5-gii-kaz: column statement: byte 0xe9 is not UTF-8" in fault(seeds)


def test_a_table_that_a_spreadsheet_saved_with_a_byte_order_mark_is_read(seeds: Path) -> None:
    for path in seeds.glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    check_seeds(seeds)


def test_a_file_that_is_not_valid_csv_is_reported(seeds: Path) -> None:
    (seeds / "claim_leads.csv").write_text('claim_id,lead\nx,"open\n', encoding="utf-8")
    assert "claim_leads.csv:" in fault(seeds)


def holds(figure: float, claimed: float, tolerance: float, comparator: str, low: float | None = None) -> bool | None:
    """Return the result of the macro ``claim_holds`` on literals."""
    source = (ROOT / "dbt_project" / "macros" / "claims.sql").read_text(encoding="utf-8")
    macros = Environment(autoescape=False, extensions=["jinja2.ext.do"]).from_string(source).module
    lowest = "null::double" if low is None else f"{low!r}::double"
    arguments = (f"{figure!r}::double", f"{claimed!r}::double", lowest, f"{tolerance!r}::double", f"'{comparator}'")
    row = duckdb.sql(f"select {macros.claim_holds(*arguments)}").fetchone()  # type: ignore[attr-defined]
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("figure", "comparator", "claimed", "tolerance", "low", "expected"),
    [
        (72.0, "eq", 70, 2, None, True),
        (72.1, "eq", 70, 2, None, False),
        (0.1 + 0.2, "eq", 0.3, 0, None, True),
        (68.0, "approx", 70, 2, None, True),
        (57.0, "eq", 57, 0, None, True),
        (58.0, "eq", 57, 0, None, False),
        (70.0, "gt", 70, 0, None, False),
        (71.0, "gt", 70, 0, None, True),
        (70.0, "gte", 70, 0, None, True),
        (67.9, "gte", 70, 2, None, False),
        (70.0, "lt", 70, 0, None, False),
        (52.1, "lt", 50, 2, None, False),
        (70.0, "lte", 70, 0, None, True),
        (50.0, "range", 60, 0, 50, True),
        (60.1, "range", 60, 0, 50, False),
        (49.9, "range", 60, 0, 50, False),
        (3e6, "ceiling", 5e5, 0, None, True),
        (3e6, "ceiling", 5e6, 0, None, False),
    ],
)
def test_a_figure_supports_a_claim_within_the_tolerance(
    figure: float, comparator: str, claimed: float, tolerance: float, low: float | None, expected: bool
) -> None:
    assert holds(figure, claimed, tolerance, comparator, low) is expected


@pytest.mark.parametrize("figure", [68.0, 69.0, 70.0, 71.5, 72.0])
def test_the_tolerance_of_a_bound_is_that_of_equality(figure: float) -> None:
    assert all(holds(figure, 70, 2, comparator) for comparator in ("eq", "gte", "lte"))


def test_a_trend_runs_from_the_lowest_bar_to_the_highest() -> None:
    assert trend([1, 2, 3]) == "▁▅█"
    assert trend([5, 5]) == "▁▁"
