"""The result of a check of ``carec doctor``, and how sizes are written in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """The result of one check. ``remedy`` is None if there is no problem."""

    check: str
    finding: str
    remedy: str | None = None

    @property
    def row(self) -> tuple[str, str, str, str | None]:
        return self.check, "attention" if self.remedy else "ok", self.finding, self.remedy


def one_line(value: object) -> str:
    """Return a text without line breaks."""
    return " ".join(str(value).split())


def size(count: int) -> str:
    """Return a number of bytes in GiB or MiB."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
