"""``python -m pipelines.quality_gates docs/sources.md``: write the list of gates into a page."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pipelines.quality_gates import GATES
from pipelines.quality_gates.gate import Gate

_BEGIN, _END = "<!-- gates: begin (written by `make docs`) -->", "<!-- gates: end -->"
_WAIVERS = {
    "": "",
    "shrink": " `--accept-shrink` skips it.",
    "revision": " `--accept-revision` skips it.",
    "either": " `--accept-revision` and `--accept-shrink` skip it.",
}


def with_gate_list(page: str) -> str:
    """Return a page with the list of gates between its two marks."""
    lines = [_BEGIN, "| | gate | what it does | decided in |", "| ---: | --- | --- | --- |"]
    lines += [_line(number, gate) for number, gate in enumerate(GATES, 1)]
    block = "\n".join([*lines, _END])
    return re.sub(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", lambda _: block, page, flags=re.DOTALL)


def _line(number: int, gate: Gate) -> str:
    return f"| {number} | `{gate.code}` | {gate.does}{_WAIVERS[gate.waiver]} | `{gate.where}` |"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(with_gate_list(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
