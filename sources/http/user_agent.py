"""The User-Agent of every request. It imports no HTTP library, because the settings need it in every command."""

from __future__ import annotations

from importlib.metadata import version

PROJECT = "carec-digital-scorecard"


def agent(contact: str | None = None) -> str:
    """Return the User-Agent: project, version, and the operator's contact address if there is one."""
    reached = f"; contact: {contact}" if contact else ""
    return f"{PROJECT}/{version(PROJECT)} (public indicators{reached})"
