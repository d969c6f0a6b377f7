"""Numbers, trends and tables on the command line."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from pathlib import Path

import duckdb
import pytest

from pipelines.cli.app import _fail, run
from pipelines.cli.tables import Format, readable, show
from pipelines.cli.terminal import home_path, note
from pipelines.formatting import figure, number, sparkline
from pipelines.published import run_query
from sources.http.replies import Reply, find_failure
from sources.parsing.responses import UnusableResponse
from tests.running import ROOT


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (89.50550079, "89.51"),
        (-0.14361, "-0.1436"),
        (100.0, "100"),
        (999.96, "1000"),
        (179600.4, "179,600"),
        (0.00001234, "1.23e-05"),
        (1e16, "1e+16"),
    ],
)
def test_a_figure_has_four_significant_digits_and_missing_is_a_dash(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_a_score_has_one_decimal_and_missing_is_never_zero() -> None:
    assert (number(62.5999), number(0.0), number(None)) == ("62.6", "0.0", "–")


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([None, None], ""),
        ([1.0, 2.0, 3.0], "▁▃▇"),
        ([1.0, None, 3.0], "▁ ▇"),
        ([5.0, 5.0, 5.0], "▃▃▃"),  # no change is a level line, not a low one
    ],
)
def test_a_trend_runs_from_its_lowest_to_its_highest_and_leaves_missing_years_blank(
    values: list[float | None], bars: str
) -> None:
    assert sparkline(values) == bars


def test_trends_on_the_same_scale_can_be_compared() -> None:
    assert sparkline([0.0, 50.0], (0, 100)) == "▁▃" and sparkline([100.0], (0, 100)) == "▇"


def test_values_of_every_kind_are_readable() -> None:
    assert [readable(v) for v in (None, True, 2, 2.0, [1, None], {"a": 1}, b"\x01")] == [
        "–",
        "true",
        "2",
        "2",
        "[1, null]",
        '{"a": 1}',
        "01",
    ]


def table(
    capsys: pytest.CaptureFixture[str], columns: list[str], rows: list[list[object]], **options: object
) -> list[str]:
    show(columns, rows, Format.TABLE, **options)  # type: ignore[arg-type]
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [8, 20, 40, 60, 100])
def test_numbers_are_never_cut_at_any_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = table(capsys, ["name", "value"], [["a name of several words", 123456789.125], ["b", -1]])
    words = {word for line in lines for word in line.split()}
    assert {"123456789.125", "-1", "words"} <= words
    assert width < 20 or max(map(len, lines)) <= width


def test_a_table_without_rows_has_its_column_names_even_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert "".join("".join(table(capsys, ["a_long_name", "another_name", "a_third"], [])).split()).startswith("a_long")


def test_optional_columns_are_omitted_in_order_and_only_as_far_as_needed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = {}
    for width in (30, 22, 14):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = table(
            capsys, ["first", "second", "third"], [["a" * 8, "b" * 8, "c" * 8]], whole=["first", "second", "third"],
            optional=["third", "second"],
        )  # fmt: skip
        heads[width] = lines[0].split()
    assert heads == {30: ["first", "second", "third"], 22: ["first", "second"], 14: ["first"]}


def test_names_are_not_broken_if_there_is_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = table(
        capsys, ["id", "what"], [["fixed_broadband_per_100", "subscriptions per hundred people, all technologies"]]
    )
    assert "fixed_broadband_per_100" in lines[1] and len(lines) > 2


def test_each_row_is_one_line_with_any_separators_in_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    show(["text"], [["a\u2028b\x0bc\x85d"]], Format.TABLE)
    assert capsys.readouterr().out.split("\n") == ["text", "a\u2028b?c?d", ""]


def test_json_and_csv_keep_every_digit_of_a_decimal(capsys: pytest.CaptureFixture[str]) -> None:
    row = [Decimal("12345678901234567890.123456789"), [Decimal("0.10")], {"a": Decimal("1E+3")}, Decimal("NaN"), 0.1]
    show(["d", "list", "struct", "nan", "double"], [row], Format.JSON)
    printed = capsys.readouterr().out
    assert json.loads(printed, parse_float=str)[0] == {
        "d": "12345678901234567890.123456789",
        "list": ["0.10"],
        "struct": {"a": 1000},
        "nan": None,
        "double": "0.1",
    }
    show(["d", "list"], [row[:2]], Format.CSV)
    assert capsys.readouterr().out.splitlines()[1] == "12345678901234567890.123456789,[0.10]"


def test_a_query_keeps_nanoseconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(str(tmp_path / "carec.duckdb")) as connection:
        connection.execute("create table publication as select now()::timestamp as published_at")
        connection.execute(
            "create table t as select '2026-01-02 03:04:05.123456789'::timestamp_ns as moment, 1.50 as d"
        )
    monkeypatch.setenv("CAREC_WAREHOUSE", str(tmp_path))
    columns, rows = run_query("select moment, d, moment from t")
    moment = "2026-01-02T03:04:05.123456789"
    assert (columns, rows) == (["moment", "d", "moment"], [(moment, Decimal("1.50"), moment)])


@pytest.mark.parametrize("write", [note, partial(_fail, code=2)])
def test_a_message_has_neither_emoji_nor_control_characters(
    write: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with suppress(SystemExit):
        write("/data/:key:/[bold]x[/bold] \x1b[31mred\x07\nsecond line")
    printed = capsys.readouterr().err.removeprefix("carec: ")
    assert printed == "/data/:key:/[bold]x[/bold] \\x1b[31mred\\x07\nsecond line\n"


def test_texts_of_a_provider_reach_no_error_with_their_control_characters() -> None:
    hostile = "text/\x1b]0;title\x07\u202ehtml\r\nX: 1"
    reply = Reply("http://host/", status=200, headers={"Content-Type": hostile})
    failure = find_failure(reply, ("json",))
    assert failure is not None
    for text in (failure.message, UnusableResponse(hostile).reason, str(UnusableResponse(hostile))):
        assert "\\x1b" in text and text.isprintable()


def test_every_path_on_the_command_line_may_begin_with_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/analyst")
    assert home_path("~/out") == Path("/home/analyst/out")
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "pipelines" / "cli").glob("*.py")]
    commands = [one for tree in trees for one in tree.body if isinstance(one, ast.FunctionDef)]
    paths = {
        command.name: [
            sum("Path" in ast.unparse(one.annotation) for one in command.args.args if one.annotation),
            sum("type=home_path" in ast.unparse(one) for one in command.decorator_list),
        ]
        for command in commands
        if any("click" in ast.unparse(one) for one in command.decorator_list)
    }
    assert sum(given for given, _ in paths.values()) >= 8 and all(given == read for given, read in paths.values())


def test_an_interrupt_ends_a_command_with_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.cli.query.run_query", interrupted)
    monkeypatch.setattr(sys, "argv", ["carec", "query", "from scorecard"])
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == 130
    assert capsys.readouterr().err.strip() == "carec: interrupted; the previous publication is untouched"
