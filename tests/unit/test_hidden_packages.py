"""Packages that are hidden from libraries."""

import subprocess
import sys

import pytest

CONTRACT = """
import sys
import polars as pl
from sources.observation import OBSERVATION, with_contract_faults
for rows in ([], [{"iso3": "Nowhere"}]):
    records = pl.DataFrame(rows, schema=OBSERVATION)
    print(with_contract_faults(records, [], ["KAZ"], 2026).height, *{"pandas", "hypothesis"} & sys.modules.keys())
"""
QUERY = """
import importlib.util, sys
import duckdb
from sources.hidden_packages import without_hidden_packages
with without_hidden_packages():
    print(importlib.util.find_spec("pandas") is not None)
    print(duckdb.execute("select ?", [1]).fetchone(), "pandas" in sys.modules)
import pandas
with without_hidden_packages():
    print(duckdb.execute("select ?", [pandas.NA]).fetchone())
"""


@pytest.mark.parametrize(("program", "printed"), [(CONTRACT, ["0", "1"]), (QUERY, ["True", "(1,) False", "(None,)"])])
def test_contracts_and_queries_need_no_hidden_package_and_can_still_find_it(program: str, printed: list[str]) -> None:
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert process.stdout.splitlines() == printed, process.stderr
