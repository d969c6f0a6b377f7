"""One query in a process of its own, so that its time and memory have hard limits.

Belongs here: starting and ending that process, and its side of the exchange. Does not belong here: what a query may
read (``pipelines.published``).

DuckDB can be interrupted only between the parts of its work, and does not count the memory of long texts: a thread of
the server could be kept busy, and its memory used up, by one query.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from threading import BoundedSemaphore, Timer
from typing import Any

from pipelines.mcp_server.envelope import clean, fitting, plain
from pipelines.published import QueryLimits, run_query
from pipelines.reading import reading_layout
from pipelines.settings import PROJECT
from sources.errors import ConfigurationError
from warehouse.errors import NotPublished, Unreadable
from warehouse.kept import Kept

SECONDS = 15
"""Longest time of a query, with the start of its process."""
MEMORY = "512MB"
"""Memory of a query that DuckDB counts."""
AT_ONCE = 2
"""Queries that run at the same time; further ones wait."""
ADDRESS_SPACE = 3 << 30
"""Address space of the process of a query, in bytes, where the system can limit it."""

_SLOTS = BoundedSemaphore(AT_ONCE)


def run_apart(sql: str, rows: int) -> dict[str, Any]:
    """Return the columns and rows of a query, and whether there are more.

    Args:
        sql: One read-only statement.
        rows: Rows to return at most.

    Raises:
        ConfigurationError: The query fails, does more than read, or exceeds a limit.
    """
    # -P: a folder `pipelines` where the server was started must not be imported
    command = [sys.executable, "-P", "-m", "pipelines.mcp_server.worker"]
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    # the limits of that process are for a query, not for fetching a publication of a lake
    chosen = reading_layout().chosen
    question = json.dumps({"sql": sql, "rows": rows, "publication": chosen and Kept(chosen).id}).encode()
    try:
        with _SLOTS:
            done = subprocess.run(
                command, input=question, capture_output=True, timeout=SECONDS, env=environment, check=False
            )
    except subprocess.TimeoutExpired:
        raise ConfigurationError(
            f"the query failed: it took more than {SECONDS} seconds; ask for less, or use `carec query`"
        ) from None
    try:
        result: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise ConfigurationError("the query failed: it needs more memory than a query may use here") from None
    if "error" in result:
        raise ConfigurationError(result["error"])
    return result


def main() -> None:
    """Read a question from standard input and write its result, or its error, to standard output."""
    question = json.load(sys.stdin)
    _limit()
    try:
        limits = QueryLimits(question["rows"] + 1, MEMORY)
        columns, found = run_query(question["sql"], limits, question["publication"])
        rows = plain(found[: question["rows"]])
        kept = fitting(rows)
        more = len(found) > len(kept)
        result = {"columns": [clean(column) for column in columns], "rows": kept, "truncated": more}
    except (ConfigurationError, NotPublished, Unreadable) as error:
        result = {"error": clean(str(error))}
    except MemoryError:
        result = {"error": "the query failed: it needs more memory than a query may use here"}
    json.dump(result, sys.stdout)


def _limit() -> None:
    """Limit the time, also if the server is gone, and the memory of this process."""
    ending = Timer(SECONDS, os._exit, (1,))
    ending.daemon = True
    ending.start()
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):  # not every system limits the address space
            resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
