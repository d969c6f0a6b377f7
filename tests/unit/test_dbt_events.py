"""The one event of dbt that the progress line reads, which dbt does not document."""

from __future__ import annotations

from dbt.events.types import LogStartLine


def test_dbt_still_has_the_event_of_a_started_node_with_its_description_and_place() -> None:
    event = LogStartLine(description="sql table model main.scorecard", index=1, total=2)  # type: ignore[no-untyped-call]
    assert type(event).__name__ == "LogStartLine"
    assert (event.description, event.index, event.total) == ("sql table model main.scorecard", 1, 2)
