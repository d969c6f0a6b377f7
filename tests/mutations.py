"""Change the scoring SQL one operator at a time, and see whether dbt's unit tests turn red.

Belongs here: the mutants and the count of those that no test noticed. Does not belong here: the tests, and mutants that
only Python tests can see (the texts of explanations). Takes minutes, so it is run by hand, on a warehouse that a refresh
has built (unit tests read the types of its tables):

    CAREC_WAREHOUSE=... python -m tests.mutations [file of the dbt project ...]
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = [f"macros/{name}.sql" for name in ("arithmetic", "goalposts", "trend", "scenarios")]

SWAPS = {
    " - ": " + ",
    " + ": " - ",
    " * ": " / ",
    " / ": " * ",
    " < ": " > ",
    " > ": " < ",
    " >= ": " < ",
    " <= ": " > ",
    " = ": " <> ",
    " <> ": " = ",
    " and ": " or ",
    "is not null": "is null",
    "is null": "is not null",
    "not is": "is",
    "isfinite(": "isnan(",
    "min(": "max(",
    "max(": "min(",
    "greatest(": "least(",
    "floor(": "ceil(",
    "ceil(": "floor(",
    "ln(": "sqrt(",
    "exp(": "abs(",
    "-exp(": "exp(",
    "abs(": "-(",
    "list_median(": "list_max(",
    "list_sort(": "list_reverse_sort(",
    "left(": "right(",
    "desc": "asc",
    " else ": " else 0 * ",
}
"""What stands in the code -> what a mutant has instead, one occurrence at a time."""

# comments, and Jinja tags that hold no SQL
_PROSE = re.compile(r"\{#.*?#\}|--[^\n]*|\{%-?\s*(?:macro|endmacro|endset|if|else|endif|for|endfor)\b.*?%\}", re.DOTALL)


@dataclass(frozen=True)
class Mutant:
    line: int
    old: str
    new: str
    text: str
    """The whole file."""


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a file, from its first line to its last."""
    prose = [match.span() for match in _PROSE.finditer(source)]
    found = []
    for old, new in SWAPS.items():
        for match in re.finditer(re.escape(old), source):
            start, end = match.span()
            if not any(a < end and start < b for a, b in prose):
                text = source[:start] + new + source[end:]
                found.append(Mutant(source.count("\n", 0, start) + 1, old.strip(), new.strip(), text))
    yield from sorted(found, key=lambda mutant: mutant.line)


def main(files: list[str]) -> None:
    """Test every mutant of the files and print what became of it."""
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory(prefix="carec-mutants-") as folder:
        project = Path(shutil.copytree(ROOT / "dbt_project", Path(folder) / "dbt_project"))
        os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
        os.environ["CAREC_WAREHOUSE"] = str(shutil.copytree(os.environ["CAREC_WAREHOUSE"], Path(folder) / "warehouse"))

        def passes(file: str) -> bool:
            tested = [] if file.startswith("macros") else [Path(file).stem]
            select = ",".join([*tested, "test_type:unit"])
            done = dbtRunner().invoke(
                [
                    *("test", "--select", select, "--fail-fast", "--log-level", "none", "--log-level-file", "none"),
                    *("--project-dir", str(project), "--profiles-dir", str(project)),
                    *("--target-path", f"{folder}/target", "--log-path", f"{folder}/target"),
                ]
            )
            return bool(done.success)

        survivors = 0
        for file in files:
            source = (project / file).read_text(encoding="utf-8")
            if not passes(file):
                sys.exit(f"{file}: its tests fail before anything was changed")
            for mutant in mutants(source):
                (project / file).write_text(mutant.text, encoding="utf-8")
                survived = passes(file)
                survivors += survived
                verdict = "SURVIVED" if survived else "killed  "
                print(f"{verdict} {file}:{mutant.line}: {mutant.old} -> {mutant.new}", flush=True)
            (project / file).write_text(source, encoding="utf-8")
    print(f"{survivors} mutants survived")


if __name__ == "__main__":
    main(sys.argv[1:] or FILES)
