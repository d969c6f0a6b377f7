"""The command line for people and for programs."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from sources.catalogue import Indicator, load_catalogue
from tests.conftest import AS_OF, run_carec
from tests.running import further
from warehouse.layout import Layout


def test_the_scorecard_names_eleven_members_the_vintage_and_a_reason_for_each_gap(published_warehouse: Path) -> None:
    done = run_carec("scorecard", warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    for name in ("Afghanistan", "Azerbaijan", "China", "Georgia", "Kazakhstan", "Kyrgyz Republic"):
        assert name in done.stdout
    for name in ("Mongolia", "Pakistan", "Tajikistan", "Turkmenistan", "Uzbekistan"):
        assert name in done.stdout
    assert "newest vintage 2026-" in done.stdout
    assert "Turkmenistan p5 (too few figures for this pillar)" in " ".join(done.stdout.split())
    assert "project's own choice" in done.stdout


def test_one_country_shows_every_indicator_with_status_and_provider(published_warehouse: Path) -> None:
    done = run_carec("scorecard", "uzb", warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    assert "Individuals using the internet" in done.stdout and "world_bank" in done.stdout


@pytest.mark.parametrize(
    "command", [["scorecard"], ["scorecard", "KAZ"], ["indicators"], ["sources"], ["query", "from economies"]]
)
def test_every_command_that_prints_data_supports_json_and_csv(published_warehouse: Path, command: list[str]) -> None:
    as_json = run_carec(*command, "--format", "json", warehouse=published_warehouse)
    as_csv = run_carec(*command, "--format", "csv", warehouse=published_warehouse)
    records = json.loads(as_json.stdout)
    table = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert len(records) == len(table) > 0
    assert list(records[0]) == list(table[0])


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["scorecard", "DEU"], 2, "not a member's ISO3 code; the members are AFG"),
        (["refresh", "--only", "internet_user_pct"], 2, "did you mean internet_users_pct"),
        (["refresh", "--as-of", "26 June"], 2, "not a date"),
        (["refresh", "--as-of", "2999-01-01"], 2, "the as-of day 2999-01-01 is after today"),
        (["explain", "UZB", "internet_user_pct"], 2, "did you mean internet_users_pct"),
        (["scorecard", "Kazakstan"], 2, "did you mean Kazakhstan"),
        (["scorecard", "--framework", "egdi"], 2, "did you mean un_egdi?"),
        (["compare", "UZB", "KAZ", "--with", "asian"], 2, "did you mean asean"),
        (["queries", "leage_table"], 2, "did you mean league_table?"),
        (["dictionary", "scorecrd"], 2, "did you mean scorecard?"),
        (["ui", "--port", "99999"], 2, "65535"),
        (["query", "select * from nowhere"], 2, "the query failed"),
        (["query", "create table t as select 1"], 2, "the query failed"),
        (["query", "copy economies to 'x.csv'"], 2, "the query failed"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_a_mistake_of_a_user_gives_one_clear_line_on_standard_error(
    published_warehouse: Path, arguments: list[str], code: int, expected: str
) -> None:
    done = run_carec(*arguments, warehouse=published_warehouse, mistake=True)
    assert done.returncode == code
    assert expected in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr and done.stdout == ""


@pytest.mark.parametrize("command", [["scorecard"], ["query", "select 1"], ["sources"]])
def test_reading_before_the_first_refresh_names_the_command_to_run(tmp_path: Path, command: list[str]) -> None:
    done = run_carec(*command, warehouse=tmp_path / "nothing")
    assert done.returncode == 1
    assert "run `carec refresh` first" in done.stderr
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("CAREC_HTTP_TRIES", "many", "CAREC_HTTP_TRIES='many'"),
        ("CAREC_WORLD_BANK_URL", "no address", "CAREC_WORLD_BANK_URL='no address'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, setting: str, value: str, expected: str) -> None:
    done = run_carec("refresh", warehouse=tmp_path, mistake=True, **{setting: value})
    assert done.returncode == 2
    assert expected in done.stderr and "Traceback" not in done.stderr


def test_without_a_network_one_line_names_the_hosts_and_no_other_repeats_it(warehouse: Path) -> None:
    nowhere = {
        f"CAREC_{provider.id.upper()}_URL": f"https://{provider.id.replace('_', '-')}.invalid"
        for provider in load_catalogue().providers.values()
        if provider.base_url
    }
    done = run_carec("refresh", "--as-of", AS_OF, warehouse=warehouse, CAREC_OFFLINE="0", **nowhere)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if ".invalid" in line]
    assert line.startswith("no network to ") and {"gtmi.invalid", "wipo-gii.invalid", "world-bank.invalid"} <= set(
        line.removeprefix("no network to ").split(":")[0].split(", ")
    )
    assert "the last good figures are used" in line


def test_a_misspelt_setting_is_named(warehouse: Path) -> None:
    done = run_carec("refresh", "--as-of", AS_OF, warehouse=warehouse, CAREC_WORLDBANK_URL="http://127.0.0.1:9")
    assert "CAREC_WORLDBANK_URL is set but not a known setting" in done.stderr


def _spoil(checkout: Path, file: str, old: str, new: str) -> None:
    path = checkout / "sources" / "catalog" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  unit: pct\n", "", "unit: Field required"),
        ("provider: world_bank", "provider: worldbank", "there is no provider 'worldbank' in providers.yml"),
        ("  unit: pct\n", "  unit: pct\n  colour: red\n", "colour: Extra inputs are not permitted"),
    ],
)
def test_a_fault_in_the_catalogue_gives_one_line_with_file_entry_and_field(
    checkout: Path, tmp_path: Path, old: str, new: str, expected: str
) -> None:
    _spoil(checkout, "indicators.yml", old, new)
    done = run_carec("refresh", warehouse=tmp_path / "w", root=checkout)
    assert done.returncode == 2
    assert "indicators.yml:" in done.stderr and expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_archive_can_be_recorded_from_the_warehouse_and_gives_the_same_figures(
    published_warehouse: Path, tmp_path: Path
) -> None:
    from sources.bundled_archive import load_archive
    from sources.catalogue import load_catalogue

    done = run_carec("archive", "record", str(tmp_path / "archive"), warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    bundled, recorded = load_archive(), load_archive(tmp_path / "archive")
    for indicator in load_catalogue():
        columns = ["iso3", "year", "value", "provider", "provider_code", "licence"]
        before = [v.records.select(columns).sort("iso3", "year") for v in bundled.vintages(indicator)]
        after = [v.records.select(columns).sort("iso3", "year") for v in recorded.vintages(indicator)]
        assert len(before) == len(after)
        assert all(
            a.height <= b.height and a.join(b, on=columns).height == a.height
            for a, b in zip(after, before, strict=True)
        )


def test_the_option_only_accepts_several_indicators(warehouse: Path) -> None:
    before = run_carec("sources", "--format", "json", warehouse=warehouse)
    done = run_carec("refresh", "--as-of", AS_OF, "--only", "gii_rank", "internet_users_pct", warehouse=warehouse)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(run_carec("sources", "--format", "json", warehouse=warehouse).stdout)) == len(
        json.loads(before.stdout)
    )
    lost = run_carec("refresh", "gii_rank", warehouse=warehouse)
    assert lost.returncode == 2 and "--only gii_rank" in lost.stderr


def test_the_first_screen_has_no_code_words_and_its_details_are_printed_on_request(published_warehouse: Path) -> None:
    codes = re.compile(
        r"coverage_below|within_noise|theil_sen|one_point|two_points|not_comparable|pillar_missing|_only"
    )
    for words in (["scorecard"], ["scorecard", "TKM"], ["claims"], ["explain", "TKM"], ["explain", "UZB", "gii_score"]):
        printed = run_carec(*words, warehouse=published_warehouse).stdout
        assert not codes.search(printed), (words, codes.findall(printed))
    short = run_carec("scorecard", warehouse=published_warehouse).stdout
    long = run_carec("scorecard", "-v", warehouse=published_warehouse).stdout
    assert "target met" in short and "largest rise" in short and "5th to the 95th" not in short
    assert "5th to the 95th" in long and "coverage 0.37" in long
    # nothing was fetched live: the heading says how old the figures are
    assert short.splitlines()[1].startswith(
        "no figure was fetched live: the newest is from the bundled archive of 2026-"
    )


def one_of_each_provider() -> list[Indicator]:
    return list({indicator.chain[0].provider: indicator for indicator in load_catalogue()}.values())


@pytest.mark.parametrize("choose", [one_of_each_provider, *further(load_catalogue)])
def test_every_indicator_of_the_catalogue_is_explained_for_every_member_by_code_or_name(
    published_warehouse: Path, choose: Callable[[], Iterable[Indicator]]
) -> None:
    for indicator in choose():
        done = run_carec("explain", "uzbekistan", indicator.id, warehouse=published_warehouse)
        assert done.returncode == 0 and f"Uzbekistan, {indicator.id}: {indicator.title}" in done.stdout, done.stderr
    outside = run_carec("explain", "UZB", "mobile_subscriptions_per_100", warehouse=published_warehouse).stdout
    assert "https://data.worldbank.org" in outside and "no indicator of the framework carec_2030" in outside
    by_code, by_case = (
        run_carec("explain", "UZB", pillar, warehouse=published_warehouse).stdout for pillar in ("p3", "P3")
    )
    assert by_code == by_case and "sub-theme 3a" in by_code


def test_another_framework_one_indicator_and_the_version_are_printed(published_warehouse: Path) -> None:
    egdi = run_carec("scorecard", "--framework", "un_egdi", "--format", "json", warehouse=published_warehouse)
    assert len(json.loads(egdi.stdout)) == 11 and "hci" in json.loads(egdi.stdout)[0]
    (one,) = json.loads(run_carec("indicators", "gii_score", "--format", "json", warehouse=published_warehouse).stdout)
    assert one["origin"] == "WIPO" and one["definition"]
    assert re.fullmatch(r"carec \d+\.\d+\.\d+\n", run_carec("--version", warehouse=published_warehouse).stdout)


def test_a_damaged_block_of_the_published_file_gives_one_line_and_doctor_finds_it(
    published_warehouse: Path, tmp_path: Path
) -> None:
    content = bytearray((published_warehouse / "carec.duckdb").read_bytes())
    for place in range(len(content) // 20, len(content), len(content) // 10):
        content[place : place + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "carec.duckdb").write_bytes(content)
    done = run_carec("export", str(tmp_path / "out"), warehouse=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("carec: ") and done.stderr.count("\n") == 1, done.stderr
    findings = json.loads(run_carec("doctor", "--format", "json", warehouse=tmp_path).stdout)
    assert {one["status"] for one in findings if one["check"] == "publication"} == {"attention"}


def test_a_damaged_vintage_gives_one_line_with_its_name(published_warehouse: Path, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "warehouse")
    shutil.copytree(Layout(published_warehouse).landing, layout.landing)
    vintage = max(layout.vintages("gii_score").glob("*.parquet"))
    vintage.write_bytes(vintage.read_bytes()[:200])
    done = run_carec("refresh", "--as-of", AS_OF, warehouse=layout.root)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("carec: ") and vintage.name in done.stderr and "replay --write" in done.stderr


def test_an_interrupt_while_dbt_runs_is_an_interrupt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from dbt.cli.main import dbtRunner, dbtRunnerResult

    from pipelines.dbt import runner
    from pipelines.settings import load_settings
    from pipelines.workspace import open_workspace

    interrupted = dbtRunnerResult(success=False, exception=KeyboardInterrupt())
    monkeypatch.setattr(dbtRunner, "invoke", lambda *_, **__: interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner.compile_models(open_workspace(load_settings(warehouse=tmp_path)))
