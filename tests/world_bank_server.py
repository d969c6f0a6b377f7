"""A loopback World Bank: answers in the format of API v2 with the figures of a test."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import unquote

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pipelines.settings import DBT_PROJECT
from pipelines.workspace import load_areas

Figures = Mapping[str, Mapping[tuple[str, int], float | None]]
"""Code -> (ISO3, year) -> value."""


ISO2 = {iso3: iso2 for iso2, iso3 in load_areas(DBT_PROJECT).iso2_to_iso3.items()}
DATA = re.compile(r"^/v2/country/all/indicator/.+$")


def serve_world_bank(
    server: HTTPServer, figures: Figures, lastupdated: str = "2026-11-20", per_page: int = 20000
) -> str:
    """Answer ``/v2/country/all/indicator/A;B`` from ``figures``. Return the base URL for CAREC_WORLD_BANK_URL."""
    server.expect_request(DATA).respond_with_handler(
        lambda request: answer_world_bank(request, figures, lastupdated, per_page)
    )
    return server.url_for("/v2")


def answer_world_bank(request: Request, figures: Figures, lastupdated: str, per_page: int = 20000) -> Response:
    """Return one page of the series in the path."""
    codes = unquote(request.path).rsplit("/", 1)[-1].split(";")
    rows = [
        {
            "indicator": {"id": code, "value": code},
            "country": {"id": ISO2.get(iso3, iso3[:2]), "value": iso3},
            "countryiso3code": iso3,
            "date": str(year),
            "value": value,
            "unit": "",
            "obs_status": "",
            "decimal": 0,
        }
        for code in codes
        for (iso3, year), value in sorted(figures.get(code, {}).items())
    ]
    page = int(request.args.get("page", "1"))
    part = rows[(page - 1) * per_page : page * per_page]
    head = {
        "page": page,
        "pages": max(1, -(-len(rows) // per_page)),
        "per_page": per_page,
        "total": len(rows),
        "sourceid": request.args.get("source", "2"),
        "lastupdated": lastupdated,
    }
    return Response(json.dumps([head, part]), content_type="application/json;charset=utf-8")
