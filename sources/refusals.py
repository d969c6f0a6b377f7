"""Codes that a provider rejected, so that a later batch is not rejected because of them.

What counts as a rejection belongs in the adapter, storage between runs in ``warehouse.refused_codes``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, order=True)
class RefusedCode:
    """A code and the release of its database at which it was rejected, None if the release is unknown."""

    provider: str
    database: str
    code: str
    release: str | None = None


class RefusedCodes:
    """The rejected codes of a run: those known at its start, with its additions and removals. Safe for threads."""

    def __init__(self, known: Iterable[RefusedCode] = ()) -> None:
        self._lock = Lock()
        self._codes = {(one.provider, one.database, one.code): one for one in known}

    def of(self, provider: str, database: str) -> dict[str, str | None]:
        """Return code -> release at which it was rejected, for one database of a provider."""
        with self._lock:
            return {
                one.code: one.release
                for one in self._codes.values()
                if (one.provider, one.database) == (provider, database)
            }

    def add(self, refused: RefusedCode) -> None:
        """Add a rejected code; it replaces an earlier entry of the same code."""
        with self._lock:
            self._codes[refused.provider, refused.database, refused.code] = refused

    def discard(self, provider: str, database: str, code: str) -> None:
        """Remove a code if it is there, since the provider knows it."""
        with self._lock:
            self._codes.pop((provider, database, code), None)

    def all(self) -> tuple[RefusedCode, ...]:
        """Return every rejected code, sorted."""
        with self._lock:
            return tuple(sorted(self._codes.values(), key=lambda one: (one.provider, one.database, one.code)))
