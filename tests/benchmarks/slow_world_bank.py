"""A World Bank for benchmarks: a separate process that answers both interfaces of the Bank after a fixed latency.

Belongs here: invented figures in the format and size of the real ones. Does not belong here: timing (``fetching``).
``python -m tests.benchmarks.slow_world_bank LATENCY_S AREAS`` prints its port and serves until its input ends.
"""

from __future__ import annotations

import json
import sys
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from zlib import crc32

import polars as pl

SEED = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "economies.csv"
TITLE = "Individuals using something or other (% of population)"


class World:
    """The served areas and figures."""

    def __init__(self, areas: int) -> None:
        self.areas = pl.read_csv(SEED).select("iso3", "iso2", "name").head(areas).rows()

    def value(self, code: str, area: int, year: int) -> float | None:
        """Return a figure with many digits, None for every fourth one. No two indicators have the same figures."""
        seed = crc32(f"{code} {area} {year}".encode()) % 1009
        return None if seed % 4 == 0 else 1 + seed * 0.0970873786407767

    @cache  # noqa: B019 - lives as long as the process
    def page(self, path: str, query: str) -> bytes:
        """Return the body of an address. It is built once."""
        parameters = {name: values[0] for name, values in parse_qs(query).items()}
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[1] == "en":
            return json.dumps(self._advanced(parts[2:], parameters)).encode()
        if parts[1] == "sources":
            return json.dumps([{"page": "1", "total": "1"}, [{"id": "2", "lastupdated": "2026-07-13"}]]).encode()
        return self._indicators(parts[-1].split(";"), parameters)

    def _indicators(self, codes: list[str], parameters: dict[str, str]) -> bytes:
        """Answer the indicator interface: an envelope and rows."""
        first, last = map(int, parameters["date"].split(":"))
        rows = [
            {
                "indicator": {"id": code, "value": TITLE},
                "country": {"id": iso2 or "ZZ", "value": name},
                "countryiso3code": iso3,
                "date": str(year),
                "value": self.value(code, at, year),
                "unit": "",
                "obs_status": "",
                "decimal": 1,
            }
            for code in codes
            for at, (iso3, iso2, name) in enumerate(self.areas)
            for year in range(last, first - 1, -1)
        ]
        size, number = int(parameters["per_page"]), int(parameters.get("page", 1))
        pages = max(1, -(-len(rows) // size))
        head = {"page": number, "pages": pages, "per_page": size, "total": len(rows)}
        head |= {"sourceid": "2", "lastupdated": "2026-07-13"}
        return json.dumps([head, rows[(number - 1) * size : number * size]]).encode()

    def _advanced(self, parts: list[str], parameters: dict[str, str]) -> object:
        """Answer the advanced interface of ``wbgapi``, with the lists that it requests before its first figures."""
        size, number = int(parameters["per_page"]), int(parameters.get("page", 1))

        def listed(rows: list[dict[str, object]]) -> object:
            return [{"page": 1, "pages": 1, "per_page": size, "total": len(rows)}, rows]

        match parts:
            case ["sources", _, "concepts"]:
                concepts = [{"id": name, "value": name} for name in ("Country", "Series", "Time")]
                return {"page": 1, "per_page": size, "total": 3, "source": [{"id": "2", "concept": concepts}]}
            case ["sources", _, "time", _]:
                years = [{"id": f"YR{year}", "value": str(year)} for year in range(1960, 2027)]
                concept = [{"id": "Time", "variable": years}]
                return {"page": 1, "per_page": size, "total": len(years), "source": [{"concept": concept}]}
            case ["country", _]:
                none = {"id": "NA", "value": ""}
                return listed(
                    [
                        {
                            "id": iso3,
                            "iso2Code": iso2 or "ZZ",
                            "name": name,
                            "region": none,
                            "adminregion": none,
                            "lendingType": none,
                            "incomeLevel": none,
                            "capitalCity": "",
                            "longitude": "",
                            "latitude": "",
                        }
                        for iso3, iso2, name in [*self.areas, ("USA", "US", "United States")]
                    ]
                )
            case ["sources", _, "series", series, "country", _, "time", times]:
                rows = [
                    {
                        "variable": [
                            {"concept": "Country", "id": iso3, "value": name},
                            {"concept": "Series", "id": code, "value": TITLE},
                            {"concept": "Time", "id": period, "value": period[2:]},
                        ],
                        "value": self.value(code, at, int(period[2:])),
                    }
                    for at, (iso3, _, name) in enumerate(self.areas)
                    for code in series.split(";")
                    for period in times.split(";")
                ]
                head = {"page": number, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows)}
                part = rows[(number - 1) * size : number * size]
                return {**head, "source": {"id": "2", "name": "World Development Indicators", "data": part}}
            case _:
                return listed([{"id": "X", "code": "X", "iso2code": "XX", "name": "made up"}])


def serve(latency_s: float, areas: int) -> None:
    """Serve on a free port until standard input ends."""
    world = World(areas)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 20
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            body = world.page(address.path, address.query)
            time.sleep(latency_s)
            self.send_response(200)
            self.send_header("Content-Type", "application/json;charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing, because the output would be part of the measured time."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    serve(float(sys.argv[1]), int(sys.argv[2]))
