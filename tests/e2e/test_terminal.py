"""The scorecard on terminals and in pipes: widths, colours, encodings, and readers that stop early."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, run_carec
from tests.running import further

BARS = "▁▂▃▅▆▇"
ESCAPE = "\x1b"


def on_a_terminal(*arguments: str, warehouse: Path, width: int, **environment: str) -> str:
    """Return the output of ``carec`` on a pseudo-terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    kept = ("PATH", "HOME", "LANG", "LC_ALL")
    settings = {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "TERM": "xterm-256color",
        "CAREC_WAREHOUSE": str(warehouse),
        **environment,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=settings,
    )
    os.close(theirs)
    output = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        output += part
    os.close(ours)
    assert process.wait(timeout=60) == 0, output.decode()
    return output.decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture(scope="module")
def members(published_warehouse: Path) -> list[dict[str, Any]]:
    done = run_carec("scorecard", "--format", "json", warehouse=published_warehouse)
    return list(json.loads(done.stdout))


def figures(members: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the figures that the line of each member must show completely."""
    shown = ("overall_score", "p1", "p2", "p3", "p4", "p5")
    return {one["iso3"]: ["–" if one[c] is None else f"{one[c]:.1f}" for c in shown] for one in members}


@pytest.mark.parametrize("width", [60, 120, *further(80, 200)])
def test_the_members_fit_the_terminal_and_no_digit_is_cut_off(
    published_warehouse: Path, members: list[dict[str, Any]], width: int
) -> None:
    output = on_a_terminal("scorecard", warehouse=published_warehouse, width=width)
    lines = plain(output).splitlines()
    assert max(len(line) for line in lines) <= width
    for iso3, expected in figures(members).items():
        (line,) = [line for line in lines if line.startswith(f"{iso3} ")]
        found = [word for word in line.split() if re.fullmatch(r"–|\d+\.\d", word)]
        if expected[0] == "–":
            found.pop(1)  # the dash in place of the rank
        assert found == expected, line
    assert any(bar in output for bar in BARS) == (width >= 120)
    heads = next(line for line in lines if "overall" in line)
    for pillar in ("p1", "p2", "p3", "p4", "p5"):
        edge = heads.index(pillar) + 2  # figures are right-aligned under their headers
        assert all(line[:edge][-1].strip() for line in lines if line[:3] in figures(members))


@pytest.mark.parametrize("width", [60, *further(80, 120, 200)])
def test_the_page_of_a_member_fits_the_terminal_and_every_indicator_has_its_value_and_status(
    published_warehouse: Path, width: int
) -> None:
    output = on_a_terminal("scorecard", "UZB", warehouse=published_warehouse, width=width)
    lines = plain(output).splitlines()
    assert max(len(line) for line in lines) <= width
    words = " ".join(plain(output).split())
    assert "89.51" in words and "on track" in words and "world_bank" in words
    assert lines[0].startswith("Uzbekistan: overall ")
    assert ESCAPE in output  # statuses have colours


def test_columns_overrides_the_width_of_the_terminal(published_warehouse: Path) -> None:
    output = on_a_terminal("scorecard", warehouse=published_warehouse, width=200, COLUMNS="80")
    assert max(len(line) for line in plain(output).splitlines()) <= 80
    nonsense = on_a_terminal("scorecard", warehouse=published_warehouse, width=80, COLUMNS="0")
    assert max(len(line) for line in plain(nonsense).splitlines()) <= 80


def test_no_color_leaves_no_escape_on_a_terminal(published_warehouse: Path) -> None:
    output = on_a_terminal("scorecard", "UZB", warehouse=published_warehouse, width=120, NO_COLOR="1")
    assert ESCAPE not in output
    coloured = on_a_terminal("scorecard", "UZB", warehouse=published_warehouse, width=120, NO_COLOR="")
    assert plain(coloured) == output  # an empty NO_COLOR has no effect


def test_output_in_a_pipe_has_no_colour_no_trailing_blanks_and_a_trend(published_warehouse: Path) -> None:
    done = run_carec("scorecard", "kaz", warehouse=published_warehouse, NO_COLOR="")
    assert done.returncode == 0 and ESCAPE not in done.stdout
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []
    internet = next(line for line in done.stdout.splitlines() if "Individuals using the internet" in line)
    assert re.search(f"[{BARS}]{{8,}}", internet) and "world_bank" in internet


@pytest.mark.parametrize(
    "locale",
    [
        {"PYTHONIOENCODING": "latin-1"},
        *further({"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii", "LC_ALL": "POSIX"}),
    ],
)
def test_a_locale_without_the_signs_gets_other_signs_and_the_same_figures(
    published_warehouse: Path, locale: dict[str, str]
) -> None:
    encoding = locale.get("PYTHONIOENCODING", "utf-8")
    settings = {**os.environ, "CAREC_WAREHOUSE": str(published_warehouse), "PYTHONPATH": str(ROOT), **locale}

    def run(*arguments: str) -> bytes:
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *arguments],
            capture_output=True,
            cwd=ROOT,
            env=settings,
            check=False,
        )
        assert done.returncode == 0 and done.stderr == b""
        return done.stdout

    output = run("scorecard", "UZB").decode(encoding)
    assert "89.51" in output and "?" not in output
    if encoding != "utf-8":
        assert re.search(r"2024  +[1-8]{6,} ", output)
    records = json.loads(run("query", "select 'Türkiye – ▁' as name", "--format", "json").decode("utf-8"))
    assert records == [{"name": "Türkiye – ▁"}]
    assert run("query", "select 'Türkiye – ▁' as name", "--format", "csv").decode("utf-8") == "name\nTürkiye – ▁\n"


@pytest.mark.parametrize("code", ["DEU", "XYZ", "", "Kazakh", "'; drop table scorecard; --", "ＫＡＺ"])
def test_an_unknown_country_code_gives_one_line_with_the_members(published_warehouse: Path, code: str) -> None:
    done = run_carec("scorecard", code, warehouse=published_warehouse)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert (
        "is not a member's ISO3 code; the members are AFG, AZE, CHN, GEO, KAZ, KGZ, MNG, PAK, TJK, TKM, UZB"
        in done.stderr
    )


def test_json_and_csv_have_scores_ranks_and_their_bands(
    published_warehouse: Path, members: list[dict[str, Any]]
) -> None:
    assert len(members) == 11
    wanted = {
        "iso3",
        "name",
        "overall_score",
        "rank",
        "tied_with",
        "rank_p05",
        "rank_p95",
        "p1",
        "p5",
        "coverage",
        "score_reason",
    }
    assert wanted <= set(members[0])
    for one in members:
        assert (one["overall_score"] is None) == (one["rank"] is None) == (one["rank_p05"] is None)
        assert one["rank"] is None or one["rank_p05"] <= one["rank_p95"]
        assert (one["score_reason"] is None) or one["overall_score"] is None
    as_csv = run_carec("scorecard", "uzb", "--format", "csv", warehouse=published_warehouse).stdout
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    uzbekistan = next(one for one in members if one["iso3"] == "UZB")
    for row in rows:
        assert row["iso3"] == "UZB" and row["status"]
        assert float(row["overall_score"]) == uzbekistan["overall_score"]
        assert (float(row["rank_p05"]), float(row["rank_p95"])) == (uzbekistan["rank_p05"], uzbekistan["rank_p95"])


def test_a_reader_that_stops_early_causes_no_traceback(published_warehouse: Path) -> None:
    settings = {**os.environ, "CAREC_WAREHOUSE": str(published_warehouse), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "query", "from observations", "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=settings,
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline().startswith(b"iso3,")
    process.stdout.close()
    output = process.stderr.read()
    process.wait(timeout=60)
    assert b"Traceback" not in output and b"Exception" not in output, output
