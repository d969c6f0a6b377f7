"""Write the output of `carec` below the commands of a page: ``python -m tests.worked_examples PAGE``.

Belongs here: blocks that begin with ``$ carec``. Does not belong here: pages that a command writes itself
(``carec claims --write-docs``).
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.running import run_carec

EXAMPLE = re.compile(r"(?<=```text\n\$ carec )([^\n]+)\n.*?(?=```)", re.DOTALL)
_OF_THE_RUN = ("as of ", "The benchmarks are")


def with_output(page: str, warehouse: Path) -> str:
    """Return a page with the present output of its commands, without the lines about the publication."""

    def shown(example: re.Match[str]) -> str:
        printed = run_carec(*example[1].split(), warehouse=warehouse).stdout
        lines = [line for line in printed.splitlines() if not line.startswith(_OF_THE_RUN)]
        return f"{example[1]}\n" + "\n".join(lines).strip() + "\n"

    return EXAMPLE.sub(shown, page)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(
        with_output(path.read_text(encoding="utf-8"), Path(os.environ["CAREC_WAREHOUSE"])), encoding="utf-8"
    )
