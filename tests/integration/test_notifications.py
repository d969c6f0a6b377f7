"""Notifications of the operator: the posts to a webhook on loopback, and the lines in the log."""

from __future__ import annotations

import logging
from pathlib import Path

import dagster as dg
import pytest
from pytest_httpserver import HTTPServer

from pipelines.notifications import Message, notify, post
from pipelines.orchestration.automation import failure_sensor
from pipelines.settings import load_settings
from pipelines.workspace import open_workspace
from tests.conftest import run_carec
from tests.templates import REVIEW_DAY, Refreshed

NOTICE = Message("run_failed", "run 1234 of refresh failed", ["dbt_build: disk full"])


def posted(server: HTTPServer) -> list[dict]:
    return [request.get_json() for request, _ in server.log]


def test_a_notice_is_logged_and_posted_as_json_for_chat_services(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_json({})
    notify(NOTICE, httpserver.url_for("/hook"))
    (body,) = posted(httpserver)
    assert body == {
        "kind": "run_failed",
        "headline": "run 1234 of refresh failed",
        "details": ["dbt_build: disk full"],
        "text": "run 1234 of refresh failed\ndbt_build: disk full",
    }
    assert "dbt_build: disk full" in caplog.text


def test_a_failing_webhook_is_logged_without_its_secret_and_stops_no_run(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request("/hook/secret").respond_with_data("", status=500)
    with caplog.at_level(logging.ERROR):
        assert not post(NOTICE, httpserver.url_for("/hook/secret"))
        assert not post(NOTICE, "http://127.0.0.1:9/hook/secret")
    assert "was not reached" in caplog.text and "secret" not in caplog.text


def test_without_a_webhook_a_notice_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    notify(NOTICE, None)
    assert "run 1234 of refresh failed" in caplog.text


def test_a_failed_run_is_reported_with_its_step_and_cause(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_json({})
    settings = load_settings(warehouse=tmp_path, webhook_url=httpserver.url_for("/hook"))
    sensor = failure_sensor(open_workspace(settings), dg.DefaultSensorStatus.STOPPED)

    @dg.op
    def breaks() -> None:
        raise dg.Failure("1 of 300 models and tests did not pass")

    @dg.job
    def refresh() -> None:
        breaks()

    with dg.DagsterInstance.ephemeral() as instance:
        result = refresh.execute_in_process(instance=instance, raise_on_error=False)
        failed = result.get_run_failure_event()
        context = dg.build_run_status_sensor_context("tell_of_failed_runs", failed, instance, result.dagster_run)
        sensor(context.for_run_failure())
    (body,) = posted(httpserver)
    assert body["kind"] == "run_failed" and "the previous publication is unchanged" in body["headline"]
    assert body["details"] == ["breaks: 1 of 300 models and tests did not pass"]


def test_a_refresh_that_is_not_published_posts_the_failed_check_and_its_rows(failed_refresh: Refreshed) -> None:
    assert failed_refresh.returncode == 1, failed_refresh.stderr
    (body,) = failed_refresh.posted
    assert body["kind"] == "not_published" and "the previous publication remains" in body["headline"]
    for message in (failed_refresh.stderr, body["text"]):
        assert (
            "unique" in message and "dbt_project/models/marts/indicators.sql" in message and "carec refresh" in message
        )
        block = message.split("indicators_rules")[1].split("see dbt_project")[0]
        assert block.count("indicator_id=") == 20, "twenty of the thirty rows, no more"


def test_a_changed_verdict_is_posted_once(review_day: Refreshed, tmp_path: Path, httpserver: HTTPServer) -> None:
    printed = [line for line in review_day.stderr.splitlines() if line.startswith("verdict changed: ")]
    (body,) = review_day.posted
    assert body["kind"] == "verdicts_changed" and f"{len(printed)} claims have a different verdict" in body["headline"]
    assert printed == [f"verdict changed: {line}" for line in body["details"]] and len(printed) > 3
    httpserver.expect_request("/hook").respond_with_json({})
    hook, warehouse = httpserver.url_for("/hook"), review_day.copy(tmp_path)
    again = run_carec("refresh", "--as-of", REVIEW_DAY, warehouse=warehouse, CAREC_WEBHOOK_URL=hook)
    assert again.returncode == 0, again.stderr
    assert posted(httpserver) == []
