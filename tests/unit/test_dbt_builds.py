"""Which of dbt's seeds and tests a build runs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from queue import Queue

import duckdb
import polars as pl
import pytest
import yaml
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.cli.main import cli, dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from jinja2 import Environment

from pipelines import refresh as refreshing
from pipelines.dbt import runner
from pipelines.dbt.compiled import code_hash
from pipelines.dbt.environment import set_environment
from pipelines.dbt.invocation import dbt_arguments, read_ahead
from pipelines.dbt.results import missed_tests
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.errors import ConfigurationError
from tests.running import AS_OF, ROOT
from warehouse.files import write_table
from warehouse.layout import Layout

MANIFEST = Manifest()
UNIT_TESTS = ["--exclude-resource-type", "unit_test"]
WITHOUT_VIEWS = ["--exclude", "config.materialized:view", "--indirect-selection", "empty"]
LANDED = ["observations", "landing.indicators", "landing.run", "landing.source_health"]
LANDED += ["landing.rejects", "landing.confirmations"]


def reading(*unchanged: str) -> list[str]:
    """Return the options of a build of what reads landed data, apart from views and what reads ``unchanged`` alone."""
    return ["--select", *(f"source:{name}+" for name in LANDED if name not in unchanged), *WITHOUT_VIEWS]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace with its own copy of the dbt project."""
    project = shutil.copytree(ROOT / "dbt_project", tmp_path / "dbt_project")
    return replace(open_workspace(load_settings(warehouse=tmp_path / "data")), dbt_project=project)


def skipped(workspace: Workspace, reason: str | None = None, whole: bool = False, sql: str = "select 1") -> list[str]:
    """Start and finish a build that executes ``sql``; return the part of its command line that leaves out tests."""
    started = runner.start_build(workspace, date.fromisoformat(AS_OF), "fingerprint", whole)
    with duckdb.connect(str(workspace.layout.build)) as build:
        build.execute(sql)
    runner.finish_build(workspace, started, reason)
    return started.arguments[len(dbt_arguments(workspace, "build")) :]


def test_seeds_and_tests_of_code_run_again_only_after_a_change_of_their_inputs(workspace: Workspace) -> None:
    assert skipped(workspace) == []
    assert skipped(workspace) == UNIT_TESTS + reading("landing.run")
    assert skipped(workspace, whole=True) == UNIT_TESTS

    seed = workspace.dbt_project / "seeds" / "economies.csv"
    seed.write_text(seed.read_text(encoding="utf-8").replace("Kyrgyz Republic", "Kyrgyzstan"), encoding="utf-8")
    assert skipped(workspace) == UNIT_TESTS
    assert skipped(workspace) == UNIT_TESTS + reading("landing.run")

    (workspace.dbt_project / "macros" / "added.sql").write_text("{# another macro #}", encoding="utf-8")
    assert skipped(workspace) == []


def test_views_are_written_again_in_a_warehouse_that_was_moved_because_they_have_its_path(
    workspace: Workspace, tmp_path: Path
) -> None:
    skipped(workspace)
    moved = replace(workspace, layout=Layout(shutil.move(workspace.layout.root, tmp_path / "moved")))
    assert not set(WITHOUT_VIEWS) & set(skipped(moved))
    assert skipped(moved)[-len(WITHOUT_VIEWS) :] == WITHOUT_VIEWS


@pytest.mark.parametrize("changed", ["seeds/economies.csv", "seeds/_seeds.yml", "the catalogue"])
def test_seeds_that_have_passed_are_checked_again_after_a_change(workspace: Workspace, changed: str) -> None:
    skipped(workspace)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "check_all", None)  # the same files are not checked again
        runner.check_seeds(workspace)
    if changed == "the catalogue":
        catalogue = workspace.catalogue.model_copy(update={"indicators": {}})
        workspace = replace(workspace, catalogue=catalogue)
    else:
        path = workspace.dbt_project / changed
        path.write_text(path.read_text(encoding="utf-8").replace("iso3", "iso33", 1), encoding="utf-8")
    for _ in range(2):  # a fault is no proof either
        with pytest.raises(ConfigurationError):
            runner.check_seeds(workspace)


@pytest.mark.parametrize("name", ["indicators", "source_health", "run"])
def test_what_reads_a_landed_file_is_built_again_once_it_has_changed(workspace: Workspace, name: str) -> None:
    for file in ("indicators", "source_health"):
        write_table(workspace.layout.landing / f"{file}.parquet", pl.DataFrame({"one": [1]}))
    unchanged = ["landing.indicators", "landing.run", "landing.source_health"]
    skipped(workspace)
    assert skipped(workspace) == UNIT_TESTS + reading(*unchanged)
    if name == "run":
        started = runner.start_build(workspace, date(2025, 6, 26), "fingerprint")
    else:
        write_table(workspace.layout.landing / f"{name}.parquet", pl.DataFrame({"one": [2]}))
        started = runner.start_build(workspace, date.fromisoformat(AS_OF), "fingerprint")
    unchanged.remove(f"landing.{name}")
    assert started.arguments[-len(reading(*unchanged)) :] == reading(*unchanged)
    assert started.left_out == ("unit_tests", "seeds", "views", *(f"source:{one}" for one in sorted(unchanged)))


@pytest.mark.parametrize("file", ["texts/en.yml", "texts/words.py", "dbt/statistics.py", "dbt/sentences.py"])
def test_texts_and_functions_that_models_call_are_part_of_the_code(tmp_path: Path, file: str) -> None:
    package = Path(shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines"))
    before = code_hash(ROOT / "dbt_project", package)
    with (package / file).open("a", encoding="utf-8") as code:
        code.write("# changed\n")
    assert before == code_hash(ROOT / "dbt_project") != code_hash(ROOT / "dbt_project", package)


def test_a_failed_build_proves_nothing_about_seeds_or_code(workspace: Workspace) -> None:
    assert skipped(workspace, reason="a test failed") == []
    assert skipped(workspace) == []


@pytest.mark.parametrize("lost", ["build.duckdb", "seeds of another build", "no DuckDB file"])
def test_seeds_are_loaded_again_where_the_build_file_does_not_prove_that_it_has_them(
    workspace: Workspace, lost: str
) -> None:
    skipped(workspace)
    build = workspace.layout.build
    if lost == "seeds of another build":
        with duckdb.connect(str(build)) as connection:
            connection.execute("update intermediate.built_inputs set hash = 'others'")
    else:
        build.unlink() if lost == build.name else build.write_bytes(b"no tables")
    started = runner.start_build(workspace, date.fromisoformat(AS_OF), "fingerprint")
    assert started.left_out == ("unit_tests",)


def test_changed_code_builds_into_a_new_file_so_that_no_removed_table_is_published(workspace: Workspace) -> None:
    def has_table() -> bool:
        with duckdb.connect(str(workspace.layout.build)) as build:
            return build.execute("from duckdb_tables() where table_name = 'last_build'").fetchone() is not None

    skipped(workspace, sql="create table last_build as select 1 as one")
    skipped(workspace)
    assert has_table()
    (workspace.dbt_project / "models" / "marts" / "removed.sql").write_text("select 1 as one", encoding="utf-8")
    skipped(workspace)
    assert not has_table()


def test_no_option_of_dbt_comes_from_the_environment(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    named = [parameter.envvar for command in cli.commands.values() for parameter in command.params]
    options = {name for one in named if one for name in ([one] if isinstance(one, str) else one)}
    assert {"DBT_RESOURCE_TYPES", "DBT_TARGET", "DBT_PROFILE", "DBT_STATE", "DBT_WARN_ERROR"} <= options
    for name in (*options, "DBT_ENGINE_TARGET", "CAREC_WAREHOUSE"):
        monkeypatch.setenv(name, "model")
    set_environment(workspace.layout)
    left = {name for name in os.environ if name in options or name.startswith("DBT_")}
    assert left == {"DBT_SEND_ANONYMOUS_USAGE_STATS"} and os.environ[left.pop()] == "false"
    assert os.environ["CAREC_WAREHOUSE"] == str(workspace.layout.root)


def test_a_build_has_the_operators_limit_of_memory_and_without_one_that_of_duckdb(workspace: Workspace) -> None:
    with duckdb.connect() as connection:
        own = connection.sql("select current_setting('memory_limit')").fetchone()
    for limit, expected in (("600MB", ("572.2 MiB",)), (None, own)):
        set_environment(workspace.layout, limit)
        rendered = Environment().from_string((workspace.dbt_project / "profiles.yml").read_text(encoding="utf-8"))
        profile = yaml.safe_load(rendered.render(env_var=lambda name, default="": os.environ.get(name, default)))
        (plugin,) = profile["carec_scorecard"]["outputs"]["build"]["plugins"]
        with duckdb.connect() as connection:
            BasePlugin.create(plugin["module"], config=plugin["config"]).configure_connection(connection)
            assert connection.sql("select current_setting('memory_limit')").fetchone() == expected


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("limit", ["", "4GB"])
def test_duckdb_returns_the_memory_of_a_node_before_the_next_one(limit: str) -> None:
    def resident_mib() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    plugin = BasePlugin.create("pipelines.dbt.functions", config={"memory_limit": limit})
    with duckdb.connect(config={"threads": 1}) as connection:
        plugin.configure_connection(connection)
        with connection.cursor() as node:
            plugin.configure_cursor(node)
            before = resident_mib()
            node.execute("select count(*) from (select distinct range from range(2000000))").fetchall()
        after = resident_mib()
        with connection.cursor() as node:
            plugin.configure_cursor(node)
            assert resident_mib() - before < 0.5 * (after - before)


def test_finished_tables_leave_memory_and_log_once_no_other_table_is_being_written(tmp_path: Path) -> None:
    log = tmp_path / "build.duckdb.wal"
    plugin = BasePlugin.create("pipelines.dbt.functions", config={"memory_limit": "1GB"})
    with duckdb.connect(str(tmp_path / "build.duckdb")) as build:
        build.execute("create table finished as from range(1000)")
        with build.cursor() as writing, build.cursor() as node:
            writing.execute("begin; create table unfinished as select 1 as one")
            plugin.configure_cursor(node)
            assert log.stat().st_size
            writing.execute("commit")
            plugin.configure_cursor(node)
            assert not log.exists() or not log.stat().st_size


@pytest.mark.parametrize(
    ("ran", "left_out", "missed"),
    [
        ({"test.p.a.1": "pass", "test.p.s.2": "warn", "unit_test.p.m.u": "pass"}, (), None),
        ({"test.p.a.1": "pass"}, ("unit_tests", "seeds"), None),
        ({"test.p.s.2": "pass"}, ("unit_tests", "seeds"), "0 of 1 tests ran"),
        ({}, ("unit_tests", "seeds", "source:landing.run"), None),
        ({"test.p.a.1": "pass", "test.p.s.2": "pass"}, (), "2 of 3 tests ran"),
        ({"test.p.a.1": "pass", "test.p.s.2": "skipped"}, ("unit_tests",), "1 of 2 tests ran"),
        ({"model.p.m": "success"}, (), "0 of 3 tests ran"),
    ],
)
def test_a_build_that_ran_fewer_tests_than_there_are_is_not_published(
    workspace: Workspace, ran: dict[str, str], left_out: tuple[str, ...], missed: str | None
) -> None:
    target = workspace.layout.dbt_target
    target.mkdir(parents=True)
    nodes = {
        "test.p.a.1": {"resource_type": "test"},
        "test.p.s.2": {"resource_type": "test"},
        "model.p.m": {"resource_type": "model"},
    }
    children = {"source.p.landed": ["model.p.m"], "model.p.m": ["test.p.a.1"], "test.p.a.1": [], "test.p.s.2": []}
    sources = {"source.p.landed": {"source_name": "landing", "name": "run"}}
    manifest = {"nodes": nodes, "sources": sources, "child_map": children, "unit_tests": {"unit_test.p.m.u": {}}}
    (target / "manifest.json").write_text(json.dumps(manifest))
    rest = {"message": None, "failures": 0, "timing": [], "execution_time": 0, "compiled_code": None}
    results = [{"unique_id": unique_id, "status": status, **rest} for unique_id, status in ran.items()]
    (target / "run_results.json").write_text(json.dumps({"results": results}))
    reason = missed_tests(workspace.layout, left_out)
    assert (reason is None) if missed is None else (reason or "").startswith(missed)


@pytest.fixture
def dbt_commands(monkeypatch: pytest.MonkeyPatch) -> Queue[tuple[str, object]]:
    """Return the commands that dbt gets instead of running them, each with the manifest that it is given."""
    commands: Queue[tuple[str, object]] = Queue()

    def invoke(self: dbtRunner, arguments: list[str]) -> dbtRunnerResult:
        commands.put((arguments[0], self.manifest))
        if arguments[0] == "parse":
            return dbtRunnerResult(True, result=MANIFEST)
        return dbtRunnerResult(False, RuntimeError("not run"))

    monkeypatch.setattr(dbtRunner, "invoke", invoke)
    return commands


@pytest.mark.parametrize("offline", [False, True])
def test_dbt_reads_the_project_while_providers_answer_and_not_before_a_refresh_that_asks_none(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    dbt_commands: Queue[tuple[str, object]],
    offline: bool,
) -> None:
    def gather(*_: object, **__: object) -> None:
        if not offline:
            assert dbt_commands.get(timeout=60) == ("parse", None)
        raise InterruptedError

    monkeypatch.setattr(refreshing, "gather", gather)
    with pytest.raises(InterruptedError):
        refreshing.refresh(workspace, offline=offline)
    assert dbt_commands.empty()


@pytest.mark.parametrize("changed", [False, True])
def test_a_build_uses_the_project_that_was_read_unless_its_code_has_changed_since(
    workspace: Workspace, dbt_commands: Queue[tuple[str, object]], changed: bool
) -> None:
    with ThreadPoolExecutor(max_workers=1) as executor:
        project = read_ahead(workspace, executor).result()
    if changed:
        (workspace.dbt_project / "models" / "marts" / "added.sql").write_text("select 1 as one")
    runner.build(workspace, date.fromisoformat(AS_OF), "fingerprint", project=project)
    assert [dbt_commands.get() for _ in range(2)] == [("parse", None), ("build", None if changed else MANIFEST)]
