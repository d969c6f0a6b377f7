"""Results that are kept by commit in ``build/bench``, and the results of another revision.

Belongs here: the files, and measuring a revision in a temporary worktree. Does not belong here: what is measured.
A revision is measured with the present benchmarks in the present environment: everything else is of the revision.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.results import ROOT, Row

FOLDER = ROOT / "build" / "bench"
MEASURED = ("pipelines", "sources", "warehouse", "dbt_project")
"""The folders whose changes since the commit make results that are not those of the commit."""
CHANGED = "-changed"


def _git(*arguments: str) -> str | None:
    """Return the output of git, None if it fails or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def present() -> str:
    """Return the present commit, with a mark if the measured code has changed since."""
    commit = _git("rev-parse", "HEAD") or "without-git"
    return commit + (CHANGED if _git("status", "--porcelain", "--", *MEASURED) else "")


def commit_of(revision: str) -> str:
    """Return the commit of a revision. Raises SystemExit with a message if there is none."""
    if _git("rev-parse", "HEAD") is None:
        sys.exit("BASE needs git and a checkout with its history: this folder has none")
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return commit or sys.exit(f"BASE={revision} is no revision of this repository (git log shows them)")


def load(commit: str) -> dict[str, Row]:
    """Return the kept rows of a commit by name; empty if there are none, or the file cannot be read."""
    try:
        rows = json.loads((FOLDER / f"{commit}.json").read_text(encoding="utf-8"))["rows"]
        return {row["name"]: row for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def save(commit: str, rows: Sequence[Row]) -> Path:
    """Keep rows of a commit. Rows of the same name are replaced, other ones stay."""
    path = FOLDER / f"{commit}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    together = load(commit) | {row["name"]: row for row in rows}
    content: dict[str, Any] = {
        "commit": commit,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": round(os.getloadavg()[0], 2),
        "cores": os.cpu_count(),
        "rows": list(together.values()),
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def measure(commit: str, arguments: Sequence[str]) -> None:
    """Measure a commit in a temporary worktree, and keep its results.

    Args:
        commit: A commit of this repository.
        arguments: Command line of ``tests.benchmarks.run``.
    """
    with tempfile.TemporaryDirectory(prefix="carec-base-") as folder:
        tree = Path(folder) / "checkout"
        if _git("worktree", "add", "--detach", str(tree), commit) is None:
            sys.exit(
                f"git cannot make a worktree of {commit}; `git worktree prune` removes what is left of earlier ones"
            )
        try:
            benchmarks = tree / "tests" / "benchmarks"
            shutil.rmtree(benchmarks, ignore_errors=True)
            shutil.copytree(Path(__file__).parent, benchmarks, ignore=shutil.ignore_patterns("__pycache__"))
            (ROOT / "build").mkdir(exist_ok=True)
            (tree / "build").symlink_to(ROOT / "build")  # the clients to compare with, and the kept results
            done = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.run", *arguments],
                cwd=tree,
                env=os.environ | {"PYTHONPATH": str(tree)},
                check=False,
            )
        finally:
            _git("worktree", "remove", "--force", str(tree))
    if done.returncode:
        sys.exit(f"{commit} cannot be measured with the present benchmarks: see the message above")
