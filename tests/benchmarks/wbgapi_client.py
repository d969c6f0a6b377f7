"""``wbgapi`` in a separate process and environment: prints the seconds of each job.

Belongs here: typical use of the client. Does not belong here: the evaluation of the seconds (``fetching``).
``python wbgapi_client.py BASE FIRST_YEAR LAST_YEAR CODE...`` runs one job for each line of its input.
"""

import sys
import time

import wbgapi as wb

_, base, first, last, *codes = sys.argv
wb.endpoint = base
years = range(int(first), int(last) + 1)
JOBS = {
    # all rows of one call with the largest pages, unchanged
    "tuned": lambda: list(wb.data.fetch(codes, time=years, params={"per_page": 32500})),
    "framed": lambda: wb.data.DataFrame(codes, time=years),
}

for line in sys.stdin:
    started = time.perf_counter()
    found = JOBS[line.strip()]()
    print(time.perf_counter() - started, len(found), flush=True)
