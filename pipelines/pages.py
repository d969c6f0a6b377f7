"""What the reading commands print, each from one query on the published file.

Belongs here: the query and the columns of each page. Does not belong here: computing a score, formats (``output``).
"""

from __future__ import annotations

from typing import Any

import duckdb
import polars as pl

from pipelines.output import GAP, Format, console, figure, number, show
from pipelines.settings import load_settings
from sources.errors import ConfigurationError
from warehouse.layout import Layout
from warehouse.publish import NotPublished, Publication, published

FRAMEWORK = "carec_2030"


def _layout() -> Layout:
    return Layout(load_settings().warehouse)


def _open() -> duckdb.DuckDBPyConnection:
    layout = _layout()
    if not layout.published.exists():
        raise NotPublished(f"there is no {layout.published} yet: run `carec refresh` first")
    return duckdb.connect(str(layout.published), read_only=True)


def _rows(sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with _open() as connection:
        return connection.execute(sql, parameters or []).fetchall()


def _imprint(publication: Publication | None) -> str:
    if publication is None:
        return ""
    newest = f"{publication.newest_vintage:%Y-%m-%d}" if publication.newest_vintage else "none"
    ((archived, live),) = _rows(
        "select count(*) filter (retrieved_via = 'archive'), count(*) filter (retrieved_via <> 'archive')"
        " from (select indicator_id, mode(retrieved_via) as retrieved_via from observations group by all)"
    )
    return (
        f"as of {publication.as_of}; newest vintage {newest}; {live} series fetched live, {archived} from the bundled"
        f" archive; published {publication.published_at:%Y-%m-%d %H:%M} UTC"
    )


def members(fmt: Format) -> None:
    """Eleven members by pillar; in tables every gap has its reason below."""
    pillars = _rows(
        "select pillar_id, title from pillars where framework_id = ? and in_overall order by pillar_id", [FRAMEWORK]
    )
    ids = [pillar for pillar, _ in pillars]
    rows = _rows(
        f"""
        with pivoted as (
            pivot (from pillar_scores where framework_id = '{FRAMEWORK}')
            on pillar_id in ({", ".join(f"'{p}'" for p in ids)}) using any_value(score) group by iso3
        )
        select s.iso3, s.name, s.overall_score, s.rank, s.rank_p05, s.rank_p95,
               {", ".join(f"p.{p}" for p in ids)}, s.coverage, s.score_reason
        from scorecard as s left join pivoted as p using (iso3)
        where s.framework_id = '{FRAMEWORK}'
        order by s.overall_score desc nulls last, s.name
        """
    )
    columns = ["iso3", "name", "overall_score", "rank", "rank_p05", "rank_p95", *ids, "coverage", "score_reason"]
    if fmt is not Format.TABLE:
        show(columns, rows, fmt)
        return
    table = [
        [
            iso3,
            name,
            number(overall),
            _rank(rank, low, high),
            *(number(score) for score in scores),
            GAP if coverage is None else f"{coverage:.2f}",
        ]
        for iso3, name, overall, rank, low, high, *scores, coverage, _ in rows
    ]
    heads = ["", "member", "overall", "rank (band)", *ids, "coverage"]
    show(heads, table, fmt, title="CAREC Digital Strategy 2030: scores from 0 to 100", right=heads[2:])
    out = console()
    out.print()
    for pillar, title in pillars:
        out.print(f"{pillar}  {title}", markup=False)
    gaps = _rows(
        "select name, pillar_id, score_reason, coverage from pillar_scores join economies using (iso3)"
        " where framework_id = ? and score is null and pillar_id in (select unnest(?)) order by all",
        [FRAMEWORK, ids],
    )
    if gaps:
        out.print()
        for name, pillar, reason, coverage in gaps:
            share = "" if coverage is None else f", coverage {coverage:.2f}"
            out.print(f"{GAP}  {name}, {pillar}: {reason}{share}", markup=False)
    out.print()
    out.print("The benchmarks are the project's own choice, not the strategy's: see the table benchmarks.")
    out.print(_imprint(published(_layout())), markup=False)


def _rank(rank: int | None, low: float | None, high: float | None) -> str:
    if rank is None:
        return GAP
    return f"{rank}" if low is None or high is None else f"{rank} ({low:.0f}-{high:.0f})"


def country(iso3: str, fmt: Format) -> None:
    """One member: its pillars, then every indicator with value, target, status and who says so."""
    head = _rows(
        "select name, overall_score, coverage, rank, rank_p05, rank_p95, score_reason from scorecard"
        " where framework_id = ? and iso3 = ?",
        [FRAMEWORK, iso3],
    )
    if not head:
        known = ", ".join(row[0] for row in _rows("select iso3 from economies where is_member order by 1"))
        raise ConfigurationError(f"{iso3!r} is not a member's ISO3 code; the members are {known}")
    columns = [
        "pillar_id",
        "subtheme_id",
        "indicator_id",
        "title",
        "unit",
        "baseline_year",
        "baseline_value",
        "latest_year",
        "latest_value",
        "target_value",
        "target_year",
        "level_score",
        "attainment",
        "pace_ratio",
        "projection",
        "status",
        "status_reason",
        "provider",
        "source_url",
    ]
    rows = _rows(
        f"""
        select {", ".join(f"o.{c}" if c in ("provider", "source_url") else c for c in columns)}
        from indicator_scores as s
        join indicators using (indicator_id)
        left join observations as o
            on o.iso3 = s.iso3 and o.indicator_id = s.indicator_id and o.year = s.latest_year
        where s.framework_id = ? and s.iso3 = ?
        order by pillar_id, subtheme_id, s.indicator_id
        """.replace("indicator_id, title", "s.indicator_id, title").replace(", unit", ", indicators.unit"),
        [FRAMEWORK, iso3],
    )
    if fmt is not Format.TABLE:
        show(columns, rows, fmt)
        return
    name, overall, coverage, rank, low, high, reason = head[0]
    out = console()
    why = f" ({reason})" if overall is None else ""
    out.print(
        f"{name}: overall {number(overall)}{why}, rank {_rank(rank, low, high)}, coverage {number(coverage, 2)}",
        markup=False,
    )
    for pillar, title, score, share, why_not in _rows(
        "select pillar_id, title, score, s.coverage, score_reason from pillar_scores as s"
        " join pillars using (framework_id, pillar_id) where framework_id = ? and iso3 = ? order by 1",
        [FRAMEWORK, iso3],
    ):
        told = f"{why_not}" if score is None else f"coverage {share:.2f}"
        out.print(f"  {pillar}  {number(score):>5}  {title} ({told})", markup=False)
    out.print()
    values = [dict(zip(columns, row, strict=True)) for row in rows]
    show(
        ["pillar", "indicator", "value", "year", "target", "level", "status", "because", "says"],
        [
            [
                f"{v['pillar_id']} {v['subtheme_id']}" if v["subtheme_id"] != v["pillar_id"] else v["pillar_id"],
                v["title"],
                figure(v["latest_value"]),
                str(v["latest_year"] or GAP),
                figure(v["target_value"]),
                number(v["level_score"], 0),
                v["status"],
                v["status_reason"],
                v["provider"] or GAP,
            ]
            for v in values
        ],
        fmt,
        right=["value", "year", "target", "level"],
    )
    out.print()
    out.print(_imprint(published(_layout())), markup=False)


def catalogue(fmt: Format) -> None:
    """The catalogue. Needs no publication: an indicator exists once its entry stands."""
    from pipelines.workspace import open_workspace

    workspace = open_workspace()
    framework = pl.read_csv(workspace.dbt_project / "seeds" / "framework_indicators.csv")
    places = {
        row["indicator_id"]: (row["pillar_id"], row["subtheme_id"], row["role"])
        for row in framework.filter(pl.col("framework_id") == FRAMEWORK).to_dicts()
    }
    rows = []
    for one in workspace.catalogue:
        pillar, subtheme, role = places.get(one.id, (None, None, None))
        chain = " > ".join(link.provider for link in one.chain)
        rows.append(
            [
                one.id,
                one.title,
                one.unit,
                one.direction.value,
                pillar,
                subtheme,
                role,
                one.max_age_years,
                one.licence,
                chain,
            ]
        )
    columns = ["indicator_id", "title", "unit", "direction", "pillar", "subtheme", "role", "max_age_years", "licence"]
    show([*columns, "providers"], rows, fmt)


def sources(fmt: Format) -> None:
    """Source health as of the newest refresh, which may be newer than the publication."""
    path = _layout().source_health
    if not path.exists():
        raise NotPublished("no provider was asked yet: run `carec refresh` first")
    table = pl.read_parquet(path)
    if fmt is not Format.TABLE:
        show(table.columns, table.rows(), fmt)
        return
    shown = table.select(
        "indicator_id",
        pl.col("provider_requested").alias("asked first"),
        pl.col("provider_used").alias("used"),
        "outcome",
        pl.col("latest_year").alias("latest"),
        pl.col("retrieved_at").dt.date().alias("retrieved"),
        pl.col("stale_reason").alias("why not fresh"),
    )
    show(shown.columns, shown.rows(), fmt)


def query(sql: str, fmt: Format) -> None:
    """Run one statement on the published file; nothing else can be read or written."""
    with _open() as connection:
        connection.execute("set enable_external_access = false")
        try:
            result = connection.execute(sql)
            columns = [column[0] for column in result.description or []]
            rows = result.fetchall()
        except duckdb.Error as error:
            raise ConfigurationError(f"the query failed: {error}") from error
    show(columns, rows, fmt)
