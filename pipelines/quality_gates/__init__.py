"""Quality gates: every rule that may refuse a figure or hold back a series, in the order in which they apply.

Belongs here: the ordered lists. Does not belong here: the rules (the modules of this package), reading a provider's
format (adapters), the columns of an observation (``sources.observation``).

``python -m pipelines.quality_gates docs/sources.md`` writes the list of gates into that page.
"""

from __future__ import annotations

import polars as pl

from pipelines.quality_gates import patterns, places, records, releases, series
from pipelines.quality_gates.gate import ALL_REJECTED, Checked, Context, Gate, RevisionSize, hold, hold_parts, run_gates
from pipelines.quality_gates.series import SCALE_LIMIT, SHRINK_LIMIT, STALE_MIRROR
from pipelines.quality_gates.vanished import vanished
from sources.catalogue import Indicator
from sources.observation import Areas, empty_observations, utc_now

__all__ = [
    "ALL_REJECTED",
    "FIGURE_GATES",
    "GATES",
    "SCALE_LIMIT",
    "SERIES_GATES",
    "SHRINK_LIMIT",
    "STALE_MIRROR",
    "Checked",
    "Context",
    "Gate",
    "RevisionSize",
    "run_gates",
    "validate",
]

ANSWER_GATES = (
    Gate(
        "adapter_fault",
        text="Ask the next provider if an answer is an error, cannot be read, or lacks the requested series.",
        place="sources.chain",
    ),
    Gate(
        "unreadable_record",
        text="Refuse records whose value is not a number, or whose area or year is not known.",
        place="sources.parsing",
    ),
    Gate(
        "mixed_codes",
        text="Refuse records whose two-letter and three-letter codes belong to different countries.",
        place="sources.providers.world_bank_pages",
    ),
    Gate(
        "provider_rule",
        text="Refuse records that a rule of the provider finds wrong: a row of another edition, a rank other than"
        " in its own list, a total that does not follow from its parts.",
        place="sources.providers",
    ),
)
RECORD_GATES = (
    Gate("reject_rule", records.reject_rules, place="sources.observation"),
    Gate("contract", records.contract, place="sources.observation"),
    Gate("duplicate", records.duplicates),
)
FIGURE_GATES = (
    Gate("vanished", vanished, waiver="shrink", compares=True),
    RECORD_GATES[0],
    Gate("other_unit", records.other_unit, waiver="either"),
    *RECORD_GATES[1:],
    Gate("correction", records.corrections, place="sources.corrections"),
    Gate(STALE_MIRROR, hold(series.mirror_fault), compares=True),
    Gate("older_answer", hold(releases.older_answer), waiver="revision", compares=True),
    Gate("moved_point", records.moved_points, waiver="shrink", compares=True),
    Gate("zero_for_missing", records.zero_for_missing, waiver="either", of_changes=True, compares=True),
    Gate("other_indicator", hold(places.other_indicator), waiver="revision", of_changes=True),
    Gate("all_same", hold_parts(patterns.all_same), waiver="either", of_changes=True),
    Gate("repeated_year", hold_parts(patterns.repeated_year), waiver="revision", of_changes=True),
    Gate("new_year", hold_parts(patterns.new_year), waiver="either", of_changes=True, compares=True),
    Gate("one_factor", hold_parts(patterns.one_factor), waiver="either", of_changes=True, compares=True),
    Gate("fewer_decimals", hold_parts(patterns.fewer_decimals), waiver="revision", of_changes=True, compares=True),
    Gate("other_year", hold_parts(places.other_year), waiver="revision", of_changes=True, compares=True),
    Gate("other_economy", hold_parts(places.other_economy), waiver="revision", of_changes=True, compares=True),
    Gate("other_order", hold_parts(places.other_order), waiver="either", of_changes=True, compares=True),
    Gate("large_revision", releases.large_revision, waiver="revision", of_changes=True, compares=True),
)
"""Gates for an answer, before the last vintage's figures are added to it."""

SERIES_GATES = (
    Gate("loss", hold(series.loss_fault), waiver="shrink", compares=True),
    Gate("scale", hold(series.scale_fault), waiver="shrink", compares=True),
    Gate("first_series", hold(series.first_fault), waiver="shrink"),
)
"""Gates for the series after the figures that stay from the last vintage were added."""

PUBLICATION_GATES = (
    Gate(
        "observations_are_in_range",
        text="Do not publish a build with a figure outside the valid range of its indicator.",
        place="dbt_project/tests",
    ),
    Gate(
        "independent_origins_agree",
        text="Warn if figures of independent origins contradict each other; the build is published.",
        place="dbt_project/tests",
    ),
)
GATES = (*ANSWER_GATES, *FIGURE_GATES, *SERIES_GATES, *PUBLICATION_GATES)
"""All gates, in order."""


def validate(
    records: pl.DataFrame, indicator: Indicator, areas: Areas, last_year: int | None = None, *, is_sound: bool = False
) -> Checked:
    """Apply the gates that need no previous vintage: reject rules, contract and duplicates.

    Args:
        records: Candidate observations, columns ``OBSERVATION``.
        indicator: The indicator of all records.
        areas: The areas that the project knows.
        last_year: The newest year that is accepted; by default the year after the current one.
        is_sound: Whether all records are known to satisfy the contract.
    """
    context = Context(indicator, areas, last_year or utc_now().year + 1, is_sound=is_sound)
    return run_gates(RECORD_GATES, records, empty_observations(), context)
