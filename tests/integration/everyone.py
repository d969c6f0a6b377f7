"""Every provider of the catalogue on one loopback server, each in its own format, all with the same figures.

Belongs here: the responses of each provider to every request of the catalogue. Does not belong here: faults
(``tests/contract``) and the results of a run.

The figures are those of the bundled archive, so that a first run changes no figure and no gate holds a series back.
Figures that the archive lacks are invented.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from urllib.parse import unquote

import polars as pl
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.http import parse_range_header

from pipelines.workspace import Workspace
from sources.catalogue import Link
from sources.providers import gtmi, un_egov, untf
from sources.providers.data360_rows import CUTS
from tests.contract.payloads import Row, csv_body, payload
from tests.contract.payloads import untf as untf_page
from tests.contract.payloads.github_innovation import quarterly
from tests.contract.workbooks import XLSX, workbook
from tests.world_bank_server import ISO2

Series = dict[tuple[str, int], float]
JSON, CSV = "application/json", "text/csv"
UPDATED = "2026-07-13"
YEARS = range(2015, 2025)
EDITIONS = range(2021, 2026)
NO_DIMENSION = ("Units", "aliases")
"""Options of a link to the SDG database that are not dimensions."""
NOTHING = Response("nothing here", status=404, content_type="text/plain")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows([columns, *rows])
    return out.getvalue().encode()


def part(body: bytes, content_type: str, request: Request, size: int | None = None) -> Response:
    """Return the body or its requested part. ``size`` is the size of the complete body in the response."""
    requested = parse_range_header(request.headers.get("Range"))
    span = requested.range_for_length(len(body)) if requested else None
    if span is None:
        return Response(body, content_type=content_type)
    start, end = span
    of = f"bytes {start}-{end - 1}/{size or len(body)}"
    return Response(body[start:end], 206, content_type=content_type, headers={"Content-Range": of})


@dataclass
class Everyone:
    """The server. The providers in ``silent`` answer every request with HTTP 500. ``log`` has every requested address.

    ``spoil`` may replace a response: it gets provider, path and request, and returns None to keep the normal response.
    """

    workspace: Workspace
    server: HTTPServer
    silent: frozenset[str] = frozenset()
    log: list[tuple[str, str]] = field(default_factory=list)
    spoil: Callable[[str, str, Request], Response | None] = lambda *_: None
    _bodies: dict[tuple[str, str], tuple[bytes, str] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.figures = {indicator.id: self._known(indicator.id) for indicator in self.workspace.catalogue}
        self._complete_denominators()
        self.series: dict[tuple[str, str], Series] = {}
        self.links: dict[tuple[str, str], Link] = {}
        by_ratio = []
        for indicator in self.workspace.catalogue:
            for link in indicator.chain:
                if link.code is None:
                    continue
                if link.over:
                    by_ratio.append((indicator.id, link))
                else:
                    self._define(link, link.code, self.figures[indicator.id])
        for name, link in by_ratio:
            assert link.over and link.code
            lower = Link(provider=link.over_provider, code=link.over) if link.over_provider else link
            self._define(lower, link.over, dict.fromkeys(self.figures[name], 50.0))
            below = self.series[self._key(lower, link.over)]
            found = {at: value * below[at] / link.scale for at, value in self.figures[name].items() if at in below}
            self._define(link, link.code, found)
        self.server.expect_request(re.compile("^/")).respond_with_handler(self.handle)

    def _complete_denominators(self) -> None:
        """Invent the figures that a denominator of another provider lacks, for each of its providers."""
        links = [(indicator.id, link) for indicator in self.workspace.catalogue for link in indicator.chain]
        of = {(link.provider, link.code): name for name, link in links}
        for name, link in links:
            if link.over_provider:
                below = of[link.over_provider, link.over]
                self.figures[below] = dict.fromkeys(self.figures[name], 50.0) | self.figures[below]

    def base(self, provider: str) -> str:
        return self.server.url_for(f"/{provider}")

    def _known(self, indicator_id: str) -> Series:
        vintages = self.workspace.archive.vintages(self.workspace.catalogue.indicators[indicator_id])
        if vintages:
            rows = vintages[-1].records.filter(pl.col("year") >= 2010)
            return {(iso3, year): value for iso3, year, value in rows.select("iso3", "year", "value").rows()}
        low, high = 2.0, min(18.0, self.workspace.catalogue.indicators[indicator_id].valid_range.max)
        places = [(iso3, year) for iso3 in (*sorted(self.workspace.areas.members), "DEU", "FRA") for year in YEARS]
        high -= len(indicator_id) % 7 / 10 + ord(indicator_id[0]) % 13 / 100  # no two indicators with the same figures
        return {place: low + (high - low) * at / len(places) for at, place in enumerate(places)}

    def _key(self, link: Link, code: str) -> tuple[str, str]:
        """Return the key of a series of a provider. A series has one cut in Data360 and several in the SDG database."""
        sex = str(link.options.get("Sex", "")) if link.provider == "un_sdg" else ""
        file = str(link.options.get("file", "")) if link.provider == "wipo_gii" else ""
        column = str(link.options.get("column", "")) if link.provider == "wipo_gii" else ""
        return link.provider, "|".join((code, sex, file, column)).rstrip("|")

    def _define(self, link: Link, code: str, series: Series) -> None:
        key = self._key(link, code)
        if key not in self.series:
            self.series[key], self.links[key] = series, link

    def of(self, provider: str) -> dict[str, tuple[Link, Series]]:
        return {key[1]: (self.links[key], series) for key, series in self.series.items() if key[0] == provider}

    def handle(self, request: Request) -> Response:
        """Answer one request. Each body is built once."""
        _, provider, path = request.path.split("/", 2)
        query = unquote(request.query_string.decode())
        self.log.append((provider, f"{path}?{query}"))
        if provider in self.silent:
            return Response("no", status=500, content_type="text/plain")
        if spoilt := self.spoil(provider, unquote(path), request):
            return spoilt
        key = (provider, f"{path}?{query}")
        if key not in self._bodies:
            own = getattr(self, f"_{provider}", None)
            answer = own(unquote(path), request.args) if own else self._by_payload(provider, unquote(path))
            self._bodies[key] = answer
        found = self._bodies[key]
        return part(found[0], found[1], request) if found else NOTHING

    # The providers

    def _by_payload(self, provider: str, path: str) -> tuple[bytes, str] | None:
        """Answer for a provider with one series in the format of its module in ``tests/contract/payloads``."""
        ((_, series),) = self.of(provider).values()
        rows = [Row(iso3, str(year), str(value)) for (iso3, year), value in series.items()]
        return payload(provider).build(rows, str, {}).get(f"/{path}")

    def _world_bank(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        known = self.of("world_bank")
        if path.endswith("/indicators"):
            source = path.split("/")[1]
            codes = [code for code, (link, _) in known.items() if str(link.options.get("source", 2)) == source]
            head = {"page": "1", "pages": "1", "per_page": "32500", "total": str(len(codes))}
            return json.dumps([head, [{"id": code, "name": "made up"} for code in codes]]).encode(), JSON
        if path.startswith("sources/"):
            listed = [{"page": "1", "total": "1"}, [{"id": path.rpartition("/")[2], "lastupdated": UPDATED}]]
            return json.dumps(listed).encode(), JSON
        _, areas, _, requested_codes = path.split("/")
        if any(code not in known for code in requested_codes.split(";")):
            return json.dumps(
                [{"message": [{"id": "120", "key": "Invalid value", "value": "not valid"}]}]
            ).encode(), JSON
        rows = [
            {
                "indicator": {"id": code, "value": "made up"},
                "country": {"id": ISO2.get(iso3, iso3[:2]), "value": iso3},
                "countryiso3code": iso3,
                "date": str(year),
                "value": value,
                "obs_status": "",
            }
            for code in requested_codes.split(";")
            for (iso3, year), value in known[code][1].items()
            if areas == "all" or iso3 in areas.split(";")
        ]
        size, page = int(requested["per_page"]), int(requested["page"])
        head = {"page": page, "pages": max(1, -(-len(rows) // size)), "per_page": size, "total": len(rows)}
        head |= {"sourceid": requested["source"], "lastupdated": UPDATED}
        return json.dumps([head, rows[(page - 1) * size : page * size]]).encode(), JSON

    def _rows360(self, code: str, link: Link, series: Series) -> list[dict[str, str]]:
        cuts = {column: str(link.options.get(cut, "_T")).split(",")[-1] for cut, column in CUTS.items()}
        same = {
            "DATABASE_ID": str(link.options["database"]),
            "INDICATOR": code,
            **cuts,
            "UNIT_MEASURE": str(link.options.get("unit_measure", "X")).split(",")[0],
            "UNIT_MULT": "0",
            "OBS_STATUS": "A",
            "OBS_CONF": "PU",
        }
        return [
            {**same, "REF_AREA": iso3, "TIME_PERIOD": str(year), "OBS_VALUE": str(value)}
            for (iso3, year), value in series.items()
        ]

    def _data360(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        known = self.of("data360")
        if path.endswith("/indicators"):
            database = requested["datasetId"]
            ids = [code for code, (link, _) in known.items() if link.options["database"] == database]
            return json.dumps(ids).encode(), JSON
        rows = self._rows360(requested["INDICATOR"], *known[requested["INDICATOR"]])
        if areas := requested.get("REF_AREA"):
            rows = [row for row in rows if row["REF_AREA"] in areas.split(",")]
        skip = int(requested["skip"])
        return json.dumps({"count": len(rows), "value": rows[skip : skip + 1000]}).encode(), JSON

    def _data360_files(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        code = path.rpartition("/")[2].removesuffix(".csv")
        if code not in self.of("data360_files"):
            return None
        rows = self._rows360(code, *self.of("data360_files")[code])
        return table(list(rows[0]), [list(row.values()) for row in rows]), CSV

    def _un_sdg(self, path: str, requested: Any) -> tuple[bytes, str] | None:
        known = self.of("un_sdg").values()
        if path == "Series/List":
            codes = {link.code for link, _ in known}
            return json.dumps([{"code": code, "release": "2026.Q2.G.02"} for code in codes]).encode(), JSON
        m49 = {iso3: code for code, iso3 in self.workspace.areas.m49_to_iso3.items()}
        rows = [
            {
                "series": link.code,
                "geoAreaCode": str(m49[iso3]),
                "timePeriodStart": float(year),
                "value": str(value),
                "attributes": {"Nature": "C", "Units": str(link.options.get("Units", "NUMBER"))},
                "dimensions": {"Reporting Type": "G"}
                | {name: str(code).split(",")[0] for name, code in link.options.items() if name not in NO_DIMENSION},
            }
            for link, series in known
            if link.code == requested["seriesCode"]
            for (iso3, year), value in series.items()
            if iso3 in m49 and (not requested.getlist("areaCode") or str(m49[iso3]) in requested.getlist("areaCode"))
        ]
        size, page = int(requested["pageSize"]), int(requested["page"])
        head = {"totalElements": len(rows), "totalPages": max(1, -(-len(rows) // size)), "pageNumber": page}
        return json.dumps({**head, "data": rows[(page - 1) * size : page * size]}).encode(), JSON

    def _unesco_uis(self, path: str, requested: Any) -> tuple[bytes, str] | None:
        if path == "versions/default":
            return json.dumps({"version": "20260507-91260335"}).encode(), JSON
        known = self.of("unesco_uis")
        if path == "definitions/indicators":
            return json.dumps([{"indicatorCode": code, "name": "made up"} for code in known]).encode(), JSON
        units = requested.getlist("geoUnit")
        records = [
            {"indicatorId": code, "geoUnit": iso3, "year": year, "value": value}
            for code in requested.getlist("indicator")
            for (iso3, year), value in known[code][1].items()
            if not units or iso3 in units
        ]
        return json.dumps({"hints": [], "records": records}).encode(), JSON

    def _owid(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        slug, _, kind = path.partition(".")
        columns = {code: series for code, (link, series) in self.of("owid").items() if link.options["slug"] == slug}
        if kind == "metadata.json":
            descriptions = {code: {"shortName": code, "unit": "%", "lastUpdated": UPDATED} for code in columns}
            return json.dumps({"columns": descriptions}).encode(), JSON
        wanted = requested["country"].split("~") if "country" in requested else None
        places = sorted(at for at in set().union(*columns.values()) if wanted is None or at[0] in wanted)
        own = {"WLD": "OWID_WRL", "XKX": "OWID_KOS"}
        rows = [
            ["made up", own.get(iso3, iso3), year, *(series.get((iso3, year), "") for series in columns.values())]
            for iso3, year in places
        ]
        return table(["entity", "code", "year", *columns], rows), CSV

    def _wipo_gii(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        scores, ranks = self.figures["gii_score"], self.figures["gii_rank"]
        if path.endswith("model_pageone_2025.csv"):
            rows = [
                [year, iso3, "Index", value, int(ranks[iso3, year])]
                for (iso3, year), value in scores.items()
                if year >= 2020
            ]
            return table(["GIIYR", "ISO3", "CODE", "SCORE", "RANK"], rows), CSV
        if path.endswith("economy_id_2025.csv"):
            countries = sorted({iso3 for iso3, year in ranks if year >= 2020})
            of_year = [
                [iso3, *(int(ranks[iso3, year]) if (iso3, year) in ranks else "" for year in range(2020, 2026))]
                for iso3 in countries
            ]
            return table(["ISO3", *(f"GII{year}" for year in range(20, 26))], of_year), CSV
        for edition in EDITIONS:
            if path.endswith(f"bc_results_gii_{edition}.csv") and edition >= 2023:
                results = [
                    [iso3, f"{value}".replace(".", ","), int(ranks[iso3, year]), year]
                    for (iso3, year), value in scores.items()
                    if year == edition
                ]
                return table(["iso3", "score", "rank", "giiyr"], results), CSV
            if path.endswith(f"wipo-pub-2000-{edition}-tech1.xlsx"):
                return self._gii_workbook(edition), XLSX
        return None

    def _gii_workbook(self, edition: int) -> bytes:
        """Return a workbook: the newest edition with all raw figures, older ones with scores and ranks only."""
        rows: list[list[Any]] = [["ISO3", "NUM", "NAME", "DATAYR", "VALUE_SCREEN", "SCORE", "RANK"]]
        for (iso3, year), value in self.figures["gii_score"].items():
            if year == edition:
                rank = self.figures["gii_rank"][iso3, year]
                rows.append([iso3, "", "Global Innovation Index", None, None, value, rank])
        for link, series in self.of("wipo_gii").values():
            if link.options["file"] == "workbook" and link.options["column"] == "value":
                name = link.options["name"]
                rows.append(["XKX", "X", name, edition, None, None, None])
                if edition == EDITIONS[-1]:
                    rows += [[iso3, "X", name, year, value, 1, 1] for (iso3, year), value in series.items()]
        return workbook({"Data": rows})

    def _github_innovation(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        code = path.removesuffix(".csv")
        if code not in self.of("github_innovation"):
            return None
        series = self.of("github_innovation")[code][1]
        rows = [Row(iso3, str(year), repr(value)) for (iso3, year), value in series.items()]
        return csv_body(quarterly(code, rows, {}), (code, "iso2_code", "year", "quarter")).content, CSV

    def _names(self) -> dict[str, str]:
        seed = self.workspace.dbt_project / "seeds" / "economies.csv"
        return dict(pl.read_csv(seed).select("iso3", "name").rows())

    def _un_egov(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        if path == un_egov.DATA_CENTRE:
            return b'<a href="/Data/Country-Information/id/87-Kazakhstan">Kazakhstan</a>', "text/html"
        if path.startswith(un_egov.COUNTRY_PAGE):
            return self._country_page("KAZ"), "text/html"
        survey = int(path[10:14]) if path.startswith("EGOV_DATA_") else 0
        columns = {
            str(link.options["column"]): series
            for link, series in self.of("un_egov").values()
            if not link.options.get("pages")
        }
        places = sorted({iso3 for series in columns.values() for iso3, year in series if year == survey})
        if not places:
            return None
        names = self._names()
        rows = [
            [survey, names[iso3], *(series.get((iso3, survey), "") for series in columns.values())] for iso3 in places
        ]
        return table(["Survey Year", "Country Name", *columns], rows), CSV

    def _country_page(self, iso3: str) -> bytes:
        """Return the page of one country with every history: label, years, values."""
        lines = []
        for link, series in self.of("un_egov").values():
            column = str(link.options["column"])
            if column in un_egov.LABELS:
                years = sorted(year for country, year in series if country == iso3)
                values = (series[iso3, year] for year in years)
                lines += [un_egov.LABELS[column], *map(str, years), "(Value)", *map(str, values)]
        return f"<p>{' '.join(lines)}</p>".encode()

    def _untf(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        """Return the page of one economy with every survey that has figures."""
        iso3, known = requested["id"], self.of("untf")
        years = sorted({year for _, series in known.values() for country, year in series if country == iso3})
        surveys = [
            untf_page.scores(
                str(year),
                {group: str(known[group][1][iso3, year]) for group in untf.GROUPS},
                str(known[untf.TOTAL][1][iso3, year]),
            )
            for year in reversed(years)
        ]
        return untf_page.page(iso3, surveys).encode(), "text/html"

    def _qog(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        if path != "qog_std_ts_jan26.csv":
            return None
        columns = {code: series for code, (_, series) in self.of("qog").items()}
        places = sorted(set().union(*columns.values()))
        rows = [
            [iso3, year - 1, *(series.get((iso3, year), "") for series in columns.values())] for iso3, year in places
        ]
        return table(["ccodealp", "year", *columns], rows), CSV

    def _itu_prices(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        if path != "ITU_ICTPriceBaskets_2008-2025.xlsx":
            return None
        years = range(2008, 2026)
        rows: list[list[Any]] = [["IsoCode", "Economy", "Code", "Unit", *map(str, years)]]
        for code, (link, series) in self.of("itu_prices").items():
            for iso3 in sorted({iso3 for iso3, _ in series}):
                figures = (series.get((iso3, year), "NA") for year in years)
                rows.append([iso3, "made up", code, str(link.options["unit"]), *figures])
        return workbook({"economies_2008-2025": rows}), XLSX

    def _gtmi(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        if path != unquote(gtmi.RELEASES[2025]):
            return None
        columns = {code: self.series.get(("gtmi", code), {}) for code in gtmi.METRICS}
        places = sorted(set().union(*columns.values()))
        rows: list[list[Any]] = [["Year", "Code", *columns]]
        rows += [[year, iso3, *(series.get((iso3, year), "-") for series in columns.values())] for iso3, year in places]
        return workbook({"GTMI_Data": rows}), XLSX

    def _findex(self, path: str, requested: Mapping[str, str]) -> tuple[bytes, str] | None:
        known: dict[tuple[str, str], dict[str, Series]] = {}
        for code, (_, series) in self.of("findex").items():
            column, _, cut = code.partition(":")
            group, _, group2 = cut.partition(":")
            known.setdefault((group or "all", group2 or "all"), {})[column] = series
        columns = sorted({column for series in known.values() for column in series})
        rows = [
            [iso3, year, "made up", *cut, *(_share(series.get(column, {}).get((iso3, year))) for column in columns)]
            for cut, series in known.items()
            for iso3, year in sorted(set().union(*series.values()))
        ]
        return table(["codewb", "year", "regionwb24_hi", "group", "group2", *columns], rows), CSV


def _share(percent: float | None) -> str:
    return "NA" if percent is None else repr(percent / 100)
