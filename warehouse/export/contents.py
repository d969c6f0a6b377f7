"""The order of the sheets of a workbook, by use, and the headings of its list of sheets.

Belongs here: which tables belong together. Does not belong here: cells (``workbook``), columns and rows (``tables``).
"""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.export.tables import ExportTable

_PARTS: dict[str, tuple[str, ...]] = {
    "Start here: the members, with words instead of codes": (
        "v_members",
        "v_indicators_latest",
        "v_compare",
        "v_history",
    ),
    "Scores": (
        "scorecard",
        "pillar_scores",
        "subtheme_scores",
        "indicator_scores",
        "score_explanation",
        "progress_summary",
        "member_recommendations",
        "gaps",
        "region_scores",
        "target_set_scores",
    ),
    "Over time, and the path to the target": (
        "trajectories",
        "scorecard_history",
        "pillar_history",
        "matched_change",
    ),
    "Figures and their sources": (
        "observations",
        "indicators",
        "benchmarks",
        "source_health",
        "revisions",
        "second_origins",
        "series_jumps",
        "series_repeats",
        "rejects",
        "publication",
    ),
    "The mid-term review: claims, recommendations, the common digital space": (
        "claims_audit",
        "claim_tests",
        "claim_documents",
        "claim_base_years",
        "claim_verdict_changes",
        "milestones",
        "recommendations",
        "recommendation_measures",
        "governance_comparison",
        "regional_space",
    ),
    "How certain it is": (
        "rank_scenarios",
        "rank_probabilities",
        "rank_sensitivity",
        "imputed_scores",
        "status_hit_rate",
        "projection_backtest",
        "projection_calibration",
        "noise_bands",
        "statistical_audit",
    ),
}
_REST = "Choices, registers and lists that the tables above are computed from"


def parts(tables: Sequence[ExportTable]) -> dict[str, list[ExportTable]]:
    """Return heading -> the tables of this part, in the order of use. Tables of no part come last, by name."""
    known = {table.name: table for table in tables}
    found = {heading: [known.pop(name) for name in names if name in known] for heading, names in _PARTS.items()}
    found[_REST] = list(known.values())
    return {heading: own for heading, own in found.items() if own}
