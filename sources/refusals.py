"""Codes that a provider refused, remembered so that a batch of codes is not refused again because of them.

Belongs here: which code of which database was refused at which release. Does not belong here: what counts as a refusal
(the adapter), where the memory is kept between runs (``warehouse.refused_codes``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, order=True)
class RefusedCode:
    """A code, and the release of its database at which it was refused; None where the provider named none."""

    provider: str
    database: str
    code: str
    release: str | None = None


class RefusedCodes:
    """The refused codes of a run: those known at its beginning, and what it adds and takes away."""

    def __init__(self, known: Iterable[RefusedCode] = ()) -> None:
        self._lock = Lock()
        self._codes = {(one.provider, one.database, one.code): one for one in known}

    def of(self, provider: str, database: str) -> dict[str, str | None]:
        """Code -> release at which it was refused, for one database of a provider."""
        with self._lock:
            return {
                one.code: one.release
                for one in self._codes.values()
                if (one.provider, one.database) == (provider, database)
            }

    def add(self, refused: RefusedCode) -> None:
        """Remember a refusal, in the place of an earlier one of the same code."""
        with self._lock:
            self._codes[refused.provider, refused.database, refused.code] = refused

    def discard(self, provider: str, database: str, code: str) -> None:
        """Forget a code's refusal, where there is one: the provider knows the code."""
        with self._lock:
            self._codes.pop((provider, database, code), None)

    def all(self) -> tuple[RefusedCode, ...]:
        """Every refused code, sorted."""
        with self._lock:
            return tuple(sorted(self._codes.values(), key=lambda one: (one.provider, one.database, one.code)))
