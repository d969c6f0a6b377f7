"""A smoke check: one small request to a live service, and what its response must be.

Each adapter lists its own checks (``smoke_checks``); ``sources.checks.contracts`` runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sources.http.client import Reply
from sources.parsing.responses import BEGINNING, CSV_TYPES, JSON_TYPES
from sources.parsing.workbook import XLSX_TYPES


class ContractViolation(Exception):
    """A response is not what the adapter was written for. The text says what differs."""


@dataclass(frozen=True)
class SmokeCheck:
    """One request and the check of its response.

    Attributes:
        about: What is requested, in a few words.
        path: Path below the provider's base address.
        check: Returns a summary of the response. Raises ContractViolation or UnusableResponse.
        params: Query of the request.
        accept: Accepted content types.
        headers: Headers of the request.
        may_be_absent: A missing file is a good result too.
        reads_failures: ``check`` reads failed responses too.
    """

    about: str
    path: str
    check: Callable[[Reply], str]
    params: Mapping[str, str | int] = field(default_factory=dict)
    accept: tuple[str, ...] = JSON_TYPES
    headers: Mapping[str, str] = field(default_factory=dict)
    may_be_absent: bool = False
    reads_failures: bool = False


def require_name(names: Collection[str], name: str) -> str:
    """Return a summary of names. Raise ContractViolation if ``name`` is not one of them."""
    if name not in names:
        raise ContractViolation(f"{name} is not among the {len(names)} names")
    return f"{len(names)} names, {name} among them"


def header_check(about: str, path: str, names: Sequence[str], may_be_absent: bool = False) -> SmokeCheck:
    """Return a check that the first line of a CSV has these columns."""

    def check(reply: Reply) -> str:
        line = reply.content.partition(b"\n")[0].decode("utf-8-sig", errors="replace")
        columns = [name.strip().strip('"') for name in line.split(",")]
        if missing := [name for name in names if name not in columns]:
            raise ContractViolation(f"the columns {', '.join(missing)} are missing")
        return f"{len(columns)} columns"

    return SmokeCheck(about, path, check, accept=CSV_TYPES, headers=BEGINNING, may_be_absent=may_be_absent)


def workbook_check(about: str, path: str, may_be_absent: bool = False) -> SmokeCheck:
    """Return a check that a file begins as a workbook."""

    def check(reply: Reply) -> str:
        if not reply.content.startswith(b"PK"):
            raise ContractViolation("it does not begin as a workbook does")
        return f"a workbook, last changed {reply.headers.get('Last-Modified', 'at an unknown time')}"

    return SmokeCheck(about, path, check, accept=XLSX_TYPES, headers=BEGINNING, may_be_absent=may_be_absent)
