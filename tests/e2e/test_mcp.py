"""``carec mcp`` as its clients use it: over standard input and output and over HTTP, with the package's own client.

Belongs here: answers, refusals and limits that a client sees. Does not belong here: what a query may do in general
(``tests/integration/test_for_analysts.py``).
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from mcp import Client, MCPError, StdioServerParameters

from pipelines.mcp_server import envelope, worker
from tests.conftest import ROOT, run_carec
from tests.running import further

TOOLS = {"scorecard", "explain", "compare", "claims", "trajectories", "query"}


def over_stdio(warehouse: Path) -> StdioServerParameters:
    environment = {"CAREC_WAREHOUSE": str(warehouse), "PYTHONPATH": str(ROOT)}
    # started in another folder than the checkout, as a client does
    return StdioServerParameters(
        command=sys.executable, args=["-m", "pipelines.cli", "mcp"], env=environment, cwd=warehouse.parent
    )


def talk(server: StdioServerParameters | str, talking: Callable[[Client], Awaitable[Any]]) -> Any:
    async def session() -> Any:
        async with Client(server) as client:
            return await talking(client)

    return asyncio.run(session())


def ask(server: StdioServerParameters | str, *calls: tuple[str, dict[str, Any]]) -> list[tuple[bool, Any]]:
    """Return (is an error, answer) of each call of a tool; the answer of an error is its message."""

    async def talking(client: Client) -> list[tuple[bool, Any]]:
        found = []
        for name, arguments in calls:
            result = await client.call_tool(name, arguments)
            text = result.content[0].text  # type: ignore[union-attr]
            found.append((result.is_error, text if result.is_error else json.loads(text)))
            assert result.is_error or result.structured_content == found[-1][1]
        return found

    answers: list[tuple[bool, Any]] = talk(server, talking)
    return answers


@pytest.fixture(scope="module")
def http(published_warehouse: Path) -> Iterator[str]:
    """Return the address of a server over HTTP."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "CAREC_WAREHOUSE": str(published_warehouse)}
    command = [sys.executable, "-m", "pipelines.cli", "mcp", "--http", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as server:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, server.stderr and server.stderr.read()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
        server.terminate()


@pytest.fixture(scope="module")
def both(published_warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_every_tool_answers_with_published_values_vintage_source_and_licence(
    published_warehouse: Path, http: str, both: duckdb.DuckDBPyConnection, transport: str
) -> None:
    server = over_stdio(published_warehouse) if transport == "stdio" else http
    claim = both.execute("select claim_id from claims_audit where evidence_value is not null order by 1").fetchone()
    assert claim is not None
    answers = ask(
        server,
        ("scorecard", {}),
        ("scorecard", {"country": "uzb"}),
        ("explain", {"country": "UZB", "subject": "internet_users_pct"}),
        ("compare", {"members": ["UZB", "KAZ"], "group": "asean"}),
        ("compare", {"members": ["Uzbekistan", "kaz"]}),
        ("claims", {"claim_id": claim[0]}),
        ("trajectories", {"country": "UZB", "indicator": "internet_users_pct"}),
        ("query", {"sql": "select iso3, overall_score from scorecard where framework_id = 'carec_2030' order by iso3"}),
    )
    assert [failed for failed, _ in answers] == [False] * 8
    ((as_of,),) = both.execute("select as_of::varchar from publication").fetchall()
    for _, found in answers:
        assert found["rows"] and not found["truncated"] and all(len(r) == len(found["columns"]) for r in found["rows"])
        about = found["about"]
        assert about["as_of"] == as_of and about["vintage"] and "licence" in about and about["sources"]
        assert all(source["provider"] and source["licence"] and source["vintage"] for source in about["sources"])
    overall = dict(
        both.execute("select iso3, overall_score from scorecard where framework_id = 'carec_2030'").fetchall()
    )
    (_, cards), *_, (_, queried) = answers
    assert {row[0]: row[4] for row in cards["rows"] if row[2] == "overall"} == overall == dict(queried["rows"])
    explained = answers[2][1]["about"]["sources"]
    assert [(one["provider"], one["terms"]) for one in explained] == [("world_bank", "open")]
    assert explained[0]["addresses"][0].startswith("https://")


def test_the_list_of_tools_says_that_they_only_read_and_resources_describe_tables_and_rules(
    published_warehouse: Path,
) -> None:
    async def talking(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == TOOLS
        assert all(tool.description and tool.annotations and tool.annotations.read_only_hint for tool in tools)
        texts = {
            name: (await client.read_resource(f"carec://{name}")).contents[0].text  # type: ignore[union-attr]
            for name in ("dictionary", "dictionary/observations", "method")
        }
        assert "as of " in texts["dictionary"]
        assert "`indicator_scores`" in texts["dictionary"] and "`v_members`" in texts["dictionary"]
        assert "`licence` (varchar): Licence of the figure" in texts["dictionary/observations"]
        assert texts["method"] == (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
        for unknown in ("carec://dictionary/nothing", "file:///etc/passwd", "carec://dictionary/..%2Fx"):
            with pytest.raises(MCPError):
                await client.read_resource(unknown)

    talk(over_stdio(published_warehouse), talking)


SECRET = "8c1f0de2"
"""Content of a file that no query may read; no path of a temporary folder contains it."""
HOSTILE = {
    "drop table observations": "does more than read",
    "create table x as select 1": "does more than read",
    "select 1; drop table observations": "only one statement",
    "attach '{folder}/x.duckdb'": "does more than read",
    "copy observations to '{folder}/x.csv'": "does more than read",
    "install httpfs": "does more than read",
    "pragma memory_limit = '8GB'": "does more than read",
    "select * from read_csv('{folder}/secret.csv')": "disabled by configuration",
    "from '{folder}/secret.csv'": "the query failed",
    "from duckdb_secrets()": "disabled by configuration",
    "from query('drop table observations')": "the query failed",
    "": "it is empty",
    "select '\x1b[31m' from nowhere": "the query failed",
}
HEAVY = (
    "select * from observations, observations o, observations p order by random()",
    "select length(repeat('x' || range::varchar, 300000000)) from range(5000)",
)


def test_a_hostile_query_is_refused_with_a_sentence_and_changes_nothing(
    published_warehouse: Path, http: str, tmp_path: Path
) -> None:
    before = (published_warehouse / "carec.duckdb").read_bytes()
    (tmp_path / "secret.csv").write_text(f"secret\n{SECRET}\n")
    answers = ask(http, *(("query", {"sql": sql.format(folder=tmp_path)}) for sql in HOSTILE))
    for (sql, expected), (failed, message) in zip(HOSTILE.items(), answers, strict=True):
        assert failed and expected in message, (sql, message)
        assert SECRET not in message and "Traceback" not in message and "\x1b" not in message
    *heavy, (failed, _) = ask(http, *(("query", {"sql": sql}) for sql in HEAVY), ("scorecard", {}))
    for refused, message in heavy:  # what ends first is open
        assert refused and ("emory" in message or "more than" in message), message
    assert not failed, "the server still answers"
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert (published_warehouse / "carec.duckdb").read_bytes() == before


def test_an_endless_query_ends_at_the_limit_of_time(published_warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.mcp_server.worker import run_apart
    from sources.errors import ConfigurationError

    monkeypatch.setenv("CAREC_WAREHOUSE", str(published_warehouse))
    monkeypatch.setattr(worker, "SECONDS", 4)
    with pytest.raises(ConfigurationError, match="more than 4 seconds"):
        run_apart("with recursive r as (select 1 as n union all select n + 1 from r) select count(*) from r", 10)


def test_a_result_is_cut_at_the_limits_and_says_so(http: str) -> None:
    many, long, wide, control = ask(
        http,
        ("query", {"sql": "from range(1000000000)", "limit": 5}),
        ("query", {"sql": "select repeat('x', 100000) as text"}),
        ("query", {"sql": "select repeat('x', 3000) as text from range(1000)", "limit": 1000}),
        ("query", {"sql": "select chr(27) || '[31m' as c, 'nan'::double as n, date '2026-01-02' as d, blob 'a' as b"}),
    )
    assert many[1]["rows"] == [[0], [1], [2], [3], [4]] and many[1]["truncated"]
    assert len(long[1]["rows"][0][0]) < envelope.LONGEST_CELL + 20 and long[1]["rows"][0][0].endswith("(cut)")
    assert 100 < len(wide[1]["rows"]) < 1000 and wide[1]["truncated"]
    assert control[1]["rows"] == [["?[31m", None, "2026-01-02", "61"]]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("scorecard", {"country": "FRA"}, "members are AFG"),
    ("scorecard", {"country": ["UZB"]}, "valid string"),
    ("explain", {"country": "UZB", "subject": "'; drop table x; --\x1b"}, "no computation"),
    ("compare", {"members": ["UZB"]}, "name 2 to 4 members"),
    ("compare", {"members": ["UZB", "UZB"]}, "named twice"),
    ("compare", {"members": ["UZB", "KAZ"], "group": "mars"}, "the groups are"),
    ("claims", {"verdict": "true"}, "no verdict"),
    ("claims", {"claim_id": "nothing"}, "no claim"),
    ("trajectories", {"country": "UZB", "indicator": "nothing"}, "no indicator"),
    ("query", {"sql": "from scorecard", "limit": 100_000}, "less than or equal to 1000"),
    ("query", {}, "Field required"),
    ("nothing", {}, "Unknown tool"),
]


def test_wrong_arguments_give_a_sentence(http: str) -> None:
    answers = ask(http, *((name, arguments) for name, arguments, _ in WRONG))
    for (name, arguments, expected), (failed, message) in zip(WRONG, answers, strict=True):
        assert failed and expected in message, (name, arguments, message)
        assert "Traceback" not in message and "\x1b" not in message.replace("\\x1b", "")


def test_without_a_publication_every_tool_names_the_command_to_run(tmp_path: Path) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("scorecard", {}),
        ("explain", {"country": "UZB"}),
        ("compare", {"members": ["UZB", "KAZ"]}),
        ("claims", {}),
        ("trajectories", {"country": "UZB"}),
        ("query", {"sql": "select 1"}),
    ]
    (tmp_path / "warehouse").mkdir()
    for failed, message in ask(over_stdio(tmp_path / "warehouse"), *calls):
        assert failed and "run `carec refresh` first" in message and "Traceback" not in message


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 400),
    ],
)
def test_over_http_only_this_machine_and_no_foreign_page_is_answered(
    http: str, headers: dict[str, str], status: int
) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}).encode()
    plain = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    request = urllib.request.Request(http, data=body, headers=plain | headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == status
    except urllib.error.HTTPError as error:
        assert error.code == status


def test_a_port_that_is_taken_is_named(http: str, published_warehouse: Path) -> None:
    port = http.rpartition(":")[2].partition("/")[0]
    taken = run_carec("mcp", "--http", port, warehouse=published_warehouse, mistake=True)
    assert taken.returncode == 2 and taken.stderr.startswith(f"carec: port {port} of 127.0.0.1 cannot be used")


@pytest.mark.parametrize("arguments", [["8765"], *further(["--http", "0"], ["--http", "x"])])
def test_a_port_that_cannot_be_used_is_a_usage_error(published_warehouse: Path, arguments: list[str]) -> None:
    done = run_carec("mcp", *arguments, warehouse=published_warehouse, mistake=True)
    assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr
