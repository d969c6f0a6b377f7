"""The README and the quick start: their commands work, and their lists are complete."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest

from pipelines.cli.app import carec
from pipelines.settings import Settings
from pipelines.texts.words import ENGLISH, Words
from tests.conftest import ROOT, run_carec

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUICKSTART = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
FIRST_SCREEN = 40
"""Lines of the README that a person sees before scrolling."""
REPLACEMENTS = {"DIR": "out"}
RSCRIPT = shutil.which("Rscript")
SLOW = ("export", "report", "briefs")


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document, re.DOTALL | re.MULTILINE)


def commands(document: str) -> list[list[str]]:
    """Return the arguments of ``.venv/bin/carec`` in the shell blocks of the document, without redirections."""
    lines = [line for block in blocks(document, "sh") for line in re.sub(r"\n\s+", " ", block).splitlines()]
    typed = [
        shlex.split(line.partition(" > ")[0], comments=True) for line in lines if line.startswith(".venv/bin/carec")
    ]
    return [words[1:] for words in typed]


def every_command() -> list[Any]:
    """Return the commands of both documents; exhaustive are those that take seconds and have tests of their own."""
    return [
        pytest.param(words, id=" ".join(words), marks=[pytest.mark.exhaustive] if words[0] in SLOW else [])
        for words in commands(README) + commands(QUICKSTART)
    ]


@pytest.mark.parametrize("arguments", every_command())
def test_every_command_of_the_documents_works(published_warehouse: Path, tmp_path: Path, arguments: list[str]) -> None:
    done = run_carec(
        *(str(tmp_path / REPLACEMENTS[a]) if a in REPLACEMENTS else a for a in arguments), warehouse=published_warehouse
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout or "wrote" in done.stderr


def test_the_first_screen_shows_how_to_check_whether_uzbekistan_is_on_track_and_the_output_names_its_sources(
    published_warehouse: Path,
) -> None:
    screen = "\n".join(README.splitlines()[:FIRST_SCREEN])
    assert "Is Uzbekistan on track for internet use, and what is the source?" in screen and "make scorecard" in screen
    (arguments,) = [words for words in commands(screen) if "UZB" in words]
    printed = run_carec(*arguments, warehouse=published_warehouse).stdout
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        ((status, provider, code, address),) = connection.execute(
            "select s.status, o.provider, o.provider_code, o.source_url"
            " from indicator_scores as s join observations as o"
            " on o.iso3 = s.iso3 and o.indicator_id = s.indicator_id and o.year = s.latest_year"
            " where s.framework_id = 'carec_2030' and s.iso3 = 'UZB' and s.indicator_id = 'internet_users_pct'"
        ).fetchall()
    status = Words(ENGLISH).word("statuses", status)
    assert re.search(rf"^ +status +{status} ", printed, re.MULTILINE)
    assert provider in printed and code in printed and address in printed
    assert status in screen, "the answer that the README shows is no longer the answer"


def test_the_shares_of_past_cases_in_the_readme_are_those_of_the_publication(published_warehouse: Path) -> None:
    text = " ".join(README.split())
    shown = re.search(r'(\d+) % of the statuses "on track" by projection .*? (\d+) % of "improving moderately"', text)
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        published = connection.execute(
            "select round(100 * share_reached)::integer::varchar from status_hit_rate where framework_id = 'carec_2030'"
            " and indicator_id = 'all' and status_reason = 'pace' and status in ('on_track', 'moderately_improving')"
            " order by status desc"
        ).fetchall()
    assert shown and list(shown.groups()) == [share for (share,) in published]


def test_the_output_in_the_documents_has_the_lines_of_the_real_output(published_warehouse: Path) -> None:
    """The test compares names, headers and steps, because figures change with the providers."""
    shown = {
        line.split()[0] for block in blocks(README, "text")[:2] for line in block.splitlines() if line.strip("…. ")
    }
    real = "".join(
        run_carec(*arguments, warehouse=published_warehouse).stdout
        for arguments in (["explain", "UZB", "internet_users_pct"], ["scorecard"])
    )
    assert shown <= {line.split()[0] for line in real.splitlines() if line.strip()}
    heads = next(line for line in blocks(README, "text")[1].splitlines() if "member" in line)
    assert heads in real.splitlines()


def named(group: click.Group, before: str = "") -> set[str]:
    found = set()
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found |= named(command, f"{before}{name} ")
            if command.invoke_without_command:
                found.add(f"{before}{name}")
        else:
            found.add(f"{before}{name}")
    return found


def test_the_table_of_commands_has_exactly_the_existing_commands() -> None:
    there = named(carec)
    table = re.search(r"^## Commands\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
    assert table
    listed = re.findall(r"`carec ([a-z -]+?)(?= [^a-z]|`)", table[1])
    assert set(listed) == there


def test_the_table_of_settings_has_exactly_the_existing_settings() -> None:
    section = README.partition("## Settings")[2].partition("## ")[0]
    assert set(re.findall(r"`CAREC_([A-Z_]+)`", section)) - {"WORLD_BANK_URL"} == {
        field.upper() for field in Settings.__dataclass_fields__
    }


def test_every_table_named_in_the_documents_is_published(published_warehouse: Path) -> None:
    section = README.partition("## The published file")[2].partition("## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        there = connection.execute(
            "select table_name from duckdb_tables() union all select view_name from duckdb_views() where not internal"
        ).fetchall()
    assert listed <= {name for (name,) in there} and "v_members" in listed


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/quickstart.md", "docs/method.md"])
def test_every_link_to_a_file_works(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.fixture
def in_the_folder_of_the_warehouse(published_warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a working directory with the published file at the path of the quick start."""
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "data").symlink_to(published_warehouse)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_python(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "quickstart.md", "exec"), names)
    return names


def test_the_quick_start_for_python_runs_with_duckdb_and_polars(in_the_folder_of_the_warehouse: Path) -> None:
    plain, frame, *_ = blocks(QUICKSTART, "python")
    rows = run_python(plain)["rows"]
    assert {row[0] for row in rows} == {"Kazakhstan", "Uzbekistan"}
    assert all(provider and address for *_, provider, address in rows)
    worst = run_python(frame)["worst"]
    assert worst.height == 3 * 9, "the nine members with an overall score"


def test_the_quick_start_for_pandas_runs(in_the_folder_of_the_warehouse: Path) -> None:
    pytest.importorskip("pandas", reason="pandas is no tool of this project")
    members = run_python(blocks(QUICKSTART, "python")[2])["members"]
    assert members.loc["CHN", "rank"] == 1 and len(members) == 11


def test_the_quick_start_for_sql_runs(in_the_folder_of_the_warehouse: Path) -> None:
    (sql,) = blocks(QUICKSTART, "sql")
    with duckdb.connect("warehouse/data/carec.duckdb", read_only=True) as connection:
        statements = connection.extract_statements(sql)
        assert len(statements) >= 2
        for statement in statements:
            assert connection.execute(statement).fetchall()
    (again,) = re.findall(r"`attach '(.*?)' as c \(read_only\)`", QUICKSTART)
    with duckdb.connect() as connection:
        connection.execute(f"attach 'warehouse/data/{again}' as c (read_only)")
        assert len(connection.execute("from c.v_members").fetchall()) == 11


def test_the_quick_start_for_the_duckdb_command_line_runs(
    in_the_folder_of_the_warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (command,) = [block for block in blocks(QUICKSTART, "sh") if block.startswith("duckdb")]
    done = subprocess.run(shlex.split(command, comments=True), capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Uzbekistan" in done.stdout, done.stderr
    (sql,) = blocks(QUICKSTART, "sql")
    prompt = subprocess.run(
        ["duckdb", "-readonly", "warehouse/data/carec.duckdb"], input=sql, capture_output=True, text=True, check=False
    )
    assert prompt.returncode == 0 and "Error" not in prompt.stdout + prompt.stderr


def test_the_query_of_the_quick_start_for_r_runs(in_the_folder_of_the_warehouse: Path) -> None:
    """Without R and its package, only the query runs."""
    (code,) = blocks(QUICKSTART, "r")
    if RSCRIPT and subprocess.run([RSCRIPT, "-e", "library(duckdb)"], capture_output=True, check=False).returncode == 0:
        shown = f"{code}\nstopifnot(nrow(scores) == 11)"
        assert subprocess.run([RSCRIPT, "-e", shown], capture_output=True, check=False).returncode == 0
    (path,) = re.findall(r'duckdb\(\), "([^"]+)"', code)
    queries = re.findall(r'dbGetQuery\(carec, "([^"]+)"\)', code)
    with duckdb.connect(path, read_only=True) as connection:
        assert queries and all(connection.execute(query).fetchall() for query in queries)
