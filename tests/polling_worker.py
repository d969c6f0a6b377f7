"""A worker for the tests of polling, as a process of its own, and the providers that it asks on loopback.

``python -m tests.polling_worker FOLDER URL PROVIDER...`` polls providers in the format of the World Bank with two
indicators each; with several addresses, separated by commas, each provider is at another one.
``KILL=module:function:n`` kills the process at the end of the n-th call of a function.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import Any

from pydantic import HttpUrl
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pipelines import polling
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.catalogue import Link
from sources.corrections import Corrections
from sources.observation import utc_now
from sources.providers import world_bank
from tests.world_bank_server import answer_world_bank

BANKS = ("bank_a", "bank_b", "bank_c", "bank_d")
IDS = ("internet_users_pct", "fixed_broadband_per_100", "mobile_subscriptions_per_100", "coverage_4g_pct")
IDS += ("electricity_access_pct", "tertiary_enrolment_pct", "secure_servers_per_million", "coverage_3g_pct")
COUNTRIES = ("AFG", "AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB")


def code_of(indicator: str) -> str:
    return f"IND.{IDS.index(indicator)}"


@dataclass
class Banks:
    """All banks at one address. Counts requests, and the most that were in progress at a time.

    ``failing`` have no answer; ``during`` is called within each request.
    """

    server: HTTPServer
    latency_s: float = 0.0
    per_page: int = 20_000
    failing: set[str] = field(default_factory=set)
    during: Callable[[], None] = lambda: None
    figures: dict[str, dict[tuple[str, int], float | None]] = field(default_factory=dict)
    most: int = 0
    requests: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        places = [(iso3, year) for iso3 in COUNTRIES for year in range(2012, 2025)]
        for shift, name in enumerate(IDS):
            self.figures[code_of(name)] = {place: 10 + number / 5 + shift for number, place in enumerate(places)}
        self._lock, self._now = threading.Lock(), 0
        self.server.expect_request(re.compile("^/bank_.+")).respond_with_handler(self._answer)

    @property
    def url(self) -> str:
        return self.server.url_for("").rstrip("/")

    def _answer(self, request: Request) -> Response:
        bank = request.path.split("/")[1]
        with self._lock:
            self.requests[bank] += 1
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self.latency_s)
        self.during()
        try:
            if bank in self.failing:
                return Response("out of order", status=503)
            if "/sources/" in request.path:
                content = [{"page": "1", "total": "1"}, [{"id": "2", "lastupdated": "2026-11-20"}]]
                return Response(json.dumps(content), content_type="application/json")
            return answer_world_bank(request, self.figures, "2026-11-20", self.per_page)
        finally:
            with self._lock:
                self._now -= 1


def banks_workspace(folder: Path, url: str) -> Workspace:
    """Return a workspace with the banks and their indicators, without the bundled archive."""
    opened = open_workspace(load_settings(warehouse=folder, http_tries=1))
    model = opened.catalogue.providers["world_bank"]
    providers = {
        name: model.model_copy(update={"id": name, "base_url": HttpUrl(f"{at}/{name}/v2"), "mirror": None})
        for name, at in zip(BANKS, cycle(url.split(",")))
    }
    indicators = {
        name: opened.catalogue.indicators[name].model_copy(
            update={"chain": (Link(provider=BANKS[at // 2], code=code_of(name)),), "reject_rules": ()}
        )
        for at, name in enumerate(IDS)
    }
    return replace(
        opened,
        catalogue=opened.catalogue.model_copy(update={"indicators": indicators, "providers": providers}),
        archive=replace(opened.archive, series=()),
        corrections=Corrections(),
        adapters=dict.fromkeys(BANKS, world_bank),
    )


def _kill_in(place: str) -> None:
    module, name, count = place.split(":")
    found = import_module(module)
    real, calls = getattr(found, name), [0]

    def killing(*arguments: Any, **named: Any) -> Any:
        result = real(*arguments, **named)
        calls[0] += 1
        if calls[0] == int(count):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(found, name, killing)


def main(folder: str, url: str, *providers: str) -> None:
    """Poll the providers in their order; print a line each."""
    workspace, started = banks_workspace(Path(folder), url), utc_now()
    if place := os.environ.get("KILL"):
        _kill_in(place)
    for provider in providers or BANKS:
        try:
            print(f"{provider}: {polling.summary(polling.poll(workspace, provider, started))}", flush=True)
        except polling.Taken as reason:
            print(reason, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
