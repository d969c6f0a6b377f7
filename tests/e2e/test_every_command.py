"""Properties of every command: help, formats, and errors of one line with a remedy.

Each command runs as the entry point ``main`` in this process. Tests that need a separate process are in ``test_cli``
and ``test_terminal``.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from pipelines.cli import main
from pipelines.cli.app import carec as program
from tests.running import ROOT


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str


class Run:
    """Runs ``carec`` with the given arguments in this process, without the settings of the environment."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: str, **environment: str) -> Done:
        with self._monkeypatch.context() as patched:
            for name, value in {"CAREC_OFFLINE": "1", "NO_COLOR": "1", **environment}.items():
                patched.setenv(name, value)
            patched.setattr(sys, "argv", ["carec", *arguments])
            with pytest.raises(SystemExit) as left:
                main()
        code = left.value.code
        captured = self._capsys.readouterr()
        return Done(code if isinstance(code, int) else 0, captured.out, captured.err)


@pytest.fixture
def carec(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(capsys, monkeypatch)


def _commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*before, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*before, name))


@pytest.fixture(scope="module")
def commands() -> Mapping[tuple[str, ...], Any]:
    """Return every command by its words. No parameters of tests: only one process of pytest imports all commands."""
    return dict(_commands(program))


EXAMPLES: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("score",), (str(ROOT / "tests" / "example_index"),)),
    (("what-if",), ("KAZ", "internet_users_pct=90", "--rank", "2")),
    (("scorecard",), ()),
    (("scorecard",), ("uzb",)),
    (("scorecard",), ("AFG",)),
    (("explain",), ("KAZ",)),
    (("explain",), ("KAZ", "internet_users_pct")),
    (("compare",), ("UZB", "kaz", "--with", "asean")),
    (("indicators",), ()),
    (("sources",), ()),
    (("sources", "check"), ("--provider", "world_bank")),
    (("sources", "check"), ("--editions",)),
    (("sources", "check"), ("--contracts", "--provider", "world_bank")),
    (("local", "check"), (str(ROOT / "tests" / "example_local" / "untf_survey.csv"),)),
    (("claims",), ()),
    (("recommendations",), ()),
    (("recommendations",), ("R3",)),
    (("recommendations",), ("--governance",)),
    (("query",), ("from scorecard",)),
    (("query",), ("from scorecard limit 0",)),
    (("queries",), ()),
    (("queries",), ("league_table",)),
    (("dictionary",), ()),
    (("dictionary",), ("scorecard",)),
    (("diff",), ()),
    (("publications",), ()),
    (("benchmarks", "recompute"), ()),
    (("doctor",), ()),
]
"""Every command that prints data, with arguments."""

OF_A_LAKE = {("lake", "status"), ("lake", "vacuum")}
"""Commands that need a server, tested with one in ``test_lake``."""

ELSEWHERE = {("score",), ("indicators",), ("sources",), ("sources", "check"), ("local", "check"), ("doctor",)}
"""Commands that need no published file."""

READERS = [
    *(example for example in EXAMPLES if example[0] not in ELSEWHERE and example != (("queries",), ())),
    (("export",), ("out",)),
    (("export",), ("out", "--sdmx")),
    (("report",), ()),
    (("briefs",), ("KAZ",)),
]
"""The commands that read the published file."""


def test_every_command_that_prints_data_is_tested(commands: Mapping[tuple[str, ...], Any]) -> None:
    with_format = {name for name, command in commands.items() if any(p.name == "fmt" for p in command.params)}
    assert {name for name, _ in EXAMPLES} == with_format - OF_A_LAKE


def test_every_command_has_help_that_explains_it_and_every_option(
    carec: Run, commands: Mapping[tuple[str, ...], Any]
) -> None:
    for name, command in commands.items():
        words = " ".join(name)
        done = carec(*name, "--help")
        assert done.code == 0 and done.stderr == "", words
        assert done.stdout.startswith(f"Usage: carec {words} ")
        assert command.help and command.help.strip().endswith("."), words
        for one in command.params:
            assert getattr(one, "help", None), f"{words}: {one.name} is not explained"


@pytest.mark.parametrize(("name", "arguments"), EXAMPLES, ids=lambda words: " ".join(words) or "-")
def test_json_and_csv_are_the_only_standard_output_and_have_the_same_content(
    carec: Run, published_warehouse: Path, name: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    settings = {"CAREC_WAREHOUSE": str(published_warehouse)}
    if name == ("sources", "check"):  # an unreachable provider is a valid result
        settings |= {"CAREC_OFFLINE": "0", "CAREC_WORLD_BANK_URL": "http://127.0.0.1:9/v2"}
    as_json, as_csv, as_table = (
        carec(*name, *arguments, "--format", fmt, **settings) for fmt in ("json", "csv", "table")
    )
    codes, captured = {as_json.code, as_csv.code, as_table.code}, as_json.stderr + as_csv.stderr + as_table.stderr
    # the result of doctor depends on the machine; it has to be the same three times
    broken = (name, arguments[:1]) == (("sources", "check"), ("--provider",))  # links of the framework are unreachable
    assert codes == {int(broken)} or (name == ("doctor",) and codes == {1}), captured
    records = json.loads(as_json.stdout)
    heads, *rows = list(csv.reader(io.StringIO(as_csv.stdout)))
    assert len(records) == len(rows) and all(len(row) == len(heads) for row in rows)
    for record, row in zip(records, rows, strict=True):
        assert list(record) == heads
        for value, cell in zip(record.values(), row, strict=True):
            assert (value is None) <= (cell == "")
            assert not isinstance(value, float) or float(cell) == value
    assert (as_table.stdout or as_table.stderr).strip() and "\x1b" not in as_table.stdout


@pytest.mark.parametrize(("name", "arguments"), READERS, ids=lambda words: " ".join(words) or "-")
def test_before_the_first_publication_one_line_names_the_command_to_run(
    carec: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = carec(*name, *arguments, CAREC_WAREHOUSE=str(tmp_path / "nothing"))
    assert done.code == 1 and done.stdout == ""
    assert done.stderr.startswith("carec: ") and done.stderr.count("\n") == 1
    assert "run `carec refresh` first" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "arguments"), READERS, ids=lambda words: " ".join(words) or "-")
def test_an_invalid_published_file_gives_one_line(
    carec: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "carec.duckdb").write_bytes(b"not a database" * 1000)
    done = carec(*name, *arguments, CAREC_WAREHOUSE=str(tmp_path))
    assert done.code == 1 and done.stdout == ""
    assert done.stderr.startswith("carec: ") and done.stderr.count("\n") == 1
    assert "carec.duckdb is no publication that can be read" in done.stderr and "`carec refresh`" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["carec.duckdb"]


def test_a_truncated_published_file_gives_one_line(carec: Run, published_warehouse: Path, tmp_path: Path) -> None:
    whole = (published_warehouse / "carec.duckdb").read_bytes()
    (tmp_path / "carec.duckdb").write_bytes(whole[: len(whole) // 2])
    done = carec("scorecard", CAREC_WAREHOUSE=str(tmp_path))
    assert done.code == 1 and done.stdout == ""
    assert done.stderr.startswith("carec: ") and "no publication that can be read" in done.stderr


def test_an_unreadable_record_of_the_sources_gives_one_line(carec: Run, tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "source_health.parquet").write_bytes(b"no parquet")
    done = carec("sources", CAREC_WAREHOUSE=str(tmp_path))
    assert done.code == 1 and done.stdout == ""
    assert done.stderr.startswith("carec: ") and "source_health.parquet cannot be read" in done.stderr


@pytest.mark.parametrize(
    "setting",
    [
        "CAREC_HTTP_TRIES=many",
        "CAREC_HTTP_TIMEOUT_S=0",
        "CAREC_TIMEZONE=Mars/Base",
        "CAREC_WEBHOOK_URL=nowhere",
        "CAREC_USER_AGENT=Mozilla/5.0 (X11; Linux x86_64)",
        "CAREC_CONTACT=Алматы",
    ],
)
@pytest.mark.parametrize(
    ("name", "arguments"), [(("scorecard",), ()), (("diff",), ()), (("export",), ("out",)), (("refresh",), ())]
)
def test_a_setting_that_cannot_be_used_is_named_in_one_line(
    carec: Run, tmp_path: Path, setting: str, name: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    variable, _, value = setting.partition("=")
    done = carec(*name, *arguments, **{"CAREC_WAREHOUSE": str(tmp_path / "w"), variable: value})
    assert done.code == 2 and done.stdout == ""
    assert done.stderr.startswith(f"carec: {variable}='{value}': ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "{file}/out"),
        ("export", "{file}/out", "--sdmx"),
        ("queries", "--write-docs", "{file}/queries.md"),
        ("dictionary", "--write-docs", "{file}/dictionary.md"),
        ("claims", "--write-docs", "{file}/claims.md"),
        ("briefs", "KAZ", "--no-pdf", "--out", "{file}/briefs"),
        ("archive", "record", "{file}/archive"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_folder_that_cannot_be_written_gives_one_line_with_its_name(
    carec: Run, published_warehouse: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "file"
    file.write_text("a file, not a folder")
    done = carec(*(part.format(file=file) for part in arguments), CAREC_WAREHOUSE=str(published_warehouse))
    assert done.code == 1 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(f"carec: {file}"), done.stderr
    assert file.read_text() == "a file, not a folder"


def test_a_warehouse_that_cannot_be_written_gives_one_line(carec: Run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = carec("refresh", CAREC_WAREHOUSE=str(file / "warehouse"))
    assert done.code == 1 and done.stderr.splitlines()[-1].startswith(f"carec: {file}")


def test_the_list_of_commands_has_the_first_line_of_each_commands_help(
    carec: Run, commands: Mapping[tuple[str, ...], Any]
) -> None:
    listed = " ".join(carec("--help").stdout.split())
    for (name, *below), command in commands.items():
        if not below:
            first_line = (command.help or "").partition("\n")[0]
            assert f"{name} {first_line}" in listed


@pytest.mark.parametrize(
    ("table", "code", "expected"),
    [
        ("iso3,year,value\nKAZ,2025,-\nUZB,2025,76.5\n", 1, 'line 2",rejected,paperless_trade_pct,KAZ,2025,,'),
        ('iso3,year,value\nKAZ,2025,"81\n', 1, "refused"),
        (None, 2, ""),
    ],
)
def test_a_check_of_your_own_file_has_the_documented_exit_codes(
    carec: Run, tmp_path: Path, table: str | None, code: int, expected: str
) -> None:
    folder = tmp_path / "a:key:[b]"
    folder.mkdir()
    shutil.copy(ROOT / "tests" / "example_local" / "untf_survey.yml", folder)
    if table is not None:
        (folder / "untf_survey.csv").write_text(table, encoding="utf-8")
    for name in ("untf_survey.csv", str(folder / "untf_survey.csv")):  # in the local folder, and as a path
        done = carec("local", "check", name, "--format", "csv", CAREC_LOCAL_FILES=str(folder))
        assert done.code == code and expected in done.stdout
        assert code != 2 or (name in done.stderr and done.stderr.count("\n") == 1)
