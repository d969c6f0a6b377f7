"""``wbgapi`` at work, a process of its own in an environment of its own: seconds a job, told on standard output.

Belongs here: how people use the client. Does not belong here: what is made of the seconds (``fetching``).
Run as ``python wbgapi_client.py BASE FIRST_YEAR LAST_YEAR CODE...``; does each job that a line of its input names.
"""

import sys
import time

import wbgapi as wb

_, base, first, last, *codes = sys.argv
wb.endpoint = base
years = range(int(first), int(last) + 1)
JOBS = {
    # every row of one call with the largest pages, kept as it comes
    "tuned": lambda: list(wb.data.fetch(codes, time=years, params={"per_page": 32500})),
    "framed": lambda: wb.data.DataFrame(codes, time=years),
}

for line in sys.stdin:
    started = time.perf_counter()
    found = JOBS[line.strip()]()
    print(time.perf_counter() - started, len(found), flush=True)
