"""The charts of the report and the briefs that are drawn as SVG: they need no script, no network, no font of their own.

Belongs here: what each chart shows. Does not belong here: figures (``data``), texts (``words``), style
(``chart_style``). Every chart has a title for screen readers. Every mark has its figures as a label, which the page
shows on hover. The same figures are in a table next to the chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from pipelines.report.chart_style import (
    BAR,
    GROUP_COLOURS,
    GROUP_SHAPES,
    GROUPS,
    INK,
    OWN_BAR,
    ROW_HEIGHT,
    SCORE_SCALE,
    WIDTH,
    Drawing,
    drawing,
    inline_data,
    members_axis,
    score_axis,
    svg,
    wrapped_axis,
)
from pipelines.report.data import Row, pick
from pipelines.texts.words import Words


def _group_marks(regions: Sequence[Row], words: Words, label: str) -> tuple[alt.Chart, list[str]]:
    """Return the simple means of the groups as marks, and the titles of the groups; the legend is on the page."""
    titles = {mean["group_id"]: words.name_of("groups", mean) for mean in regions}
    means = [
        {"group": titles[mean["group_id"]], "row": mean["row"], "score": mean["score"]}
        for mean in regions
        if mean["score"] is not None
    ]
    for one in means:
        score = words.number(one["score"])
        one["label"] = words(label, group=one["group"], name=one["group"], pillar=one["row"], score=score)
    domain = [titles[group] for group in GROUPS if group in titles]
    shapes = [shape for group, shape in zip(GROUPS, GROUP_SHAPES, strict=True) if group in titles]
    colours = [colour for group, colour in zip(GROUPS, GROUP_COLOURS, strict=True) if group in titles]
    marks = (
        alt.Chart(inline_data(means))
        .mark_point(size=62, filled=True, opacity=0.95, aria=True)
        .encode(
            shape=alt.Shape("group:N", scale=alt.Scale(domain=domain, range=shapes), legend=None),
            color=alt.Color("group:N", scale=alt.Scale(domain=domain, range=colours), legend=None),
            description="label:N",
        )
    )
    return marks, domain


def pillar_scores(title: str, scores: Sequence[Row], regions: Sequence[Row], words: Words) -> Drawing:
    """Return the chart of one pillar: the members' scores as bars, and the means of the groups below."""
    bars = [
        {
            "name": words.name_of("economies", row),
            "score": row["score"],
            "text": words.word("reasons", row["score_reason"]) if row["score"] is None else words.number(row["score"]),
            "label": words(
                "pillars.describe_score",
                name=words.name_of("economies", row),
                score=words.number(row["score"]),
            ),
        }
        for row in scores
    ]
    means = pick(regions, variant="simple")
    group_rows = [{**mean, "row": words.name_of("groups", mean)} for mean in means]
    marks, groups = _group_marks(group_rows, words, "pillars.describe_group")
    names = [*(bar["name"] for bar in bars), *groups]
    y = members_axis(names)
    x = alt.X("score:Q", scale=SCORE_SCALE, axis=score_axis(words))
    chart = alt.layer(
        alt.Chart(inline_data(bars))
        .mark_bar(color="#8fb4d3", height=11, aria=True)
        .encode(x=x, y=y, description="label:N"),
        alt.Chart(inline_data(bars))
        .mark_text(align="left", dx=4, color=INK, fontSize=10, aria=False)
        .encode(x=alt.X("at:Q", scale=SCORE_SCALE, axis=score_axis(words)), y=y, text="text:N")
        .transform_calculate(at="isValid(datum.score) ? datum.score : 0"),
        marks.transform_calculate(name="datum.row").encode(x=x, y=y),
    ).properties(width=WIDTH, height=ROW_HEIGHT * len(names))
    return drawing(chart, title)


def groups_by_pillar(
    title: str, rows: Mapping[str, str], regions: Sequence[Row], words: Words, own: Sequence[Row] = ()
) -> str:
    """Return the chart of group means, one row per pillar.

    Args:
        title: Title for screen readers.
        rows: Pillar, or ``overall``, -> title of its row, in order.
        regions: Means of groups; those of other pillars are left out.
        words: The texts of the language.
        own: Scores of one member by ``pillar_id``, drawn as bars.
    """
    means = [{**mean, "row": rows[mean["pillar_id"]]} for mean in regions if mean["pillar_id"] in rows]
    marks, _ = _group_marks(means, words, "regions.describe")
    x = alt.X("score:Q", scale=SCORE_SCALE, axis=score_axis(words))
    y = wrapped_axis("row:N", list(rows.values()), grid=not own)
    layers = [marks.encode(x=x, y=y)]
    if own:
        scored = [
            {"row": rows[one["pillar_id"]], "score": one["score"]}
            for one in own
            if one["score"] is not None and one["pillar_id"] in rows
        ]
        for one in scored:
            one["label"] = words("pillars.describe_score", name=one["row"], score=words.number(one["score"]))
        bars = alt.Chart(inline_data(scored)).mark_bar(color=BAR, height=15, aria=True)
        layers.insert(0, bars.encode(x=x, y=y, description="label:N"))
    return svg(alt.layer(*layers).properties(width=WIDTH, height=28 * len(rows)), title, words)


def region_variants(title: str, means: Sequence[Row], words: Words) -> str:
    """Return the chart of the overall score of every group and variant of its mean."""
    bars = [
        {
            "row": words(
                "regions.row",
                group=words.name_of("groups", mean),
                variant=words.name("variants", mean["variant"], mean["variant_title"]),
            ),
            "score": mean["score"],
            "own": mean["group_id"] == "carec",
            "text": words.number(mean["score"]),
        }
        for mean in means
    ]
    for bar in bars:
        bar["label"] = words("pillars.describe_score", name=bar["row"], score=bar["text"])
    x = alt.X("score:Q", scale=SCORE_SCALE, axis=score_axis(words))
    y = wrapped_axis("row:N", [bar["row"] for bar in bars], grid=False)
    base = alt.Chart(inline_data(bars))
    colour = alt.Color("own:N", scale=alt.Scale(domain=[True, False], range=[OWN_BAR, BAR]), legend=None)
    chart = alt.layer(
        base.mark_bar(height=14, aria=True).encode(x=x, y=y, color=colour, description="label:N"),
        base.mark_text(align="left", dx=4, color=INK, fontSize=10, aria=False).encode(x=x, y=y, text="text:N"),
    ).properties(width=WIDTH, height=30 * len(bars))
    return svg(chart, title, words)


def rank_bands(members: Sequence[Row], words: Words) -> str:
    """Return the chart of ranks: one point per ranked member on its band."""
    shown = [
        {
            "name": words.name_of("economies", row),
            **{key: row[key] for key in ("rank", "rank_p05", "rank_p95")},
            "label": words(
                "bands.describe_tie" if row["tied_with"] else "bands.describe",
                name=words.name_of("economies", row),
                rank=row["rank"],
                low=words.number(row["rank_p05"], 0),
                high=words.number(row["rank_p95"], 0),
            ),
        }
        for row in members
        if row["rank"] is not None
    ]
    last = max(max(row["rank"], row["rank_p95"] or 0) for row in shown)
    scale = alt.Scale(domain=[0.6, last + 0.4], nice=False)
    axis = alt.Axis(title=words("columns.rank"), values=list(range(1, int(last) + 1)), format="d")
    y = members_axis([row["name"] for row in shown])
    base = alt.Chart(inline_data(shown))
    band = base.mark_rule(strokeWidth=7, color="#8fb4d3", strokeCap="round", aria=True)
    point = base.mark_point(size=70, filled=True, color=INK, opacity=1, aria=True)
    chart = alt.layer(
        band.encode(x=alt.X("rank_p05:Q", scale=scale, axis=axis), x2="rank_p95:Q", y=y, description="label:N"),
        point.encode(x=alt.X("rank:Q", scale=scale, axis=axis), y=y, description="label:N"),
    ).properties(width=WIDTH + 60, height=24 * len(shown))
    return svg(chart, words("bands.chart"), words)


def verdicts(counts: Sequence[Row], words: Words) -> str:
    """Return the chart of the number of claims per verdict."""
    rows = [
        {
            "verdict": words.word("verdicts", row["verdict"]),
            "claims": row["claims"],
            "label": f"{words.word('verdicts', row['verdict'])}: {row['claims']}",
        }
        for row in counts
    ]
    axis = alt.Axis(title=None, ticks=False, domain=False, grid=False, labelLimit=200)
    y = alt.Y("verdict:N", sort=[row["verdict"] for row in rows], axis=axis)
    x = alt.X("claims:Q", axis=None)
    base = alt.Chart(inline_data(rows))
    chart = alt.layer(
        base.mark_bar(color="#8fb4d3", height=13, aria=True).encode(x=x, y=y, description="label:N"),
        base.mark_text(align="left", dx=4, color=INK, aria=False).encode(x=x, y=y, text="claims:Q"),
    ).properties(width=170, height=22 * len(rows))
    return svg(chart, words("claims.chart"), words)


def history(rows: Sequence[Row], titles: dict[str, str], words: Words) -> str:
    """Return the chart of one member's pillar scores by year; one line per pillar, labelled with its id."""
    points = [
        {
            "pillar": row["pillar_id"].upper(),
            "year": row["as_of_year"],
            "score": row["score"],
            "label": words(
                "brief.describe_history",
                pillar=titles[row["pillar_id"]],
                year=row["as_of_year"],
                score=words.number(row["score"]),
            ),
        }
        for row in rows
    ]
    domain = [pillar_id.upper() for pillar_id in titles]
    colours = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"]
    shapes = ["circle", "square", "triangle-up", "diamond", "triangle-down"]
    first, last = min(row["as_of_year"] for row in rows), max(row["as_of_year"] for row in rows)
    x = alt.X(
        "year:Q",
        scale=alt.Scale(domain=[first, max(last, first + 1)], nice=False),
        axis=alt.Axis(title=None, format="d", tickMinStep=1, grid=False),
    )
    y = alt.Y("score:Q", scale=SCORE_SCALE, axis=alt.Axis(title=None, values=[0, 25, 50, 75, 100]))
    legend = alt.Legend(columns=len(domain))
    colour = alt.Color("pillar:N", scale=alt.Scale(domain=domain, range=colours[: len(domain)]), legend=legend)
    shape = alt.Shape("pillar:N", scale=alt.Scale(domain=domain, range=shapes[: len(domain)]), legend=legend)
    base = alt.Chart(inline_data(points))
    chart = alt.layer(
        base.mark_line(strokeWidth=1.5, aria=False).encode(x=x, y=y, color=colour),
        base.mark_point(size=34, filled=True, opacity=1, aria=True).encode(
            x=x, y=y, color=colour, shape=shape, description="label:N"
        ),
    ).properties(width=320, height=170)
    return svg(chart, words("brief.history"), words)
