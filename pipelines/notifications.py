"""The one hook through which the pipeline calls for a person: to the log always, to a webhook where one is set.

Belongs here: what a message is and how it leaves. Does not belong here: what is worth one
(``pipelines.orchestration.automation``, the command line, the publication).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import requests
from pydantic import HttpUrl

if TYPE_CHECKING:
    from pipelines.revisions import Revisions

TIMEOUT_S = 10
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notice:
    """One message: what happened, in a line, and the particulars. ``text`` is what chat services show of a post."""

    kind: Literal["run_failed", "not_published", "verdicts_changed", "figures_revised"]
    headline: str
    details: Sequence[str] = ()

    @classmethod
    def of_verdicts(cls, changes: Sequence[str]) -> Notice:
        """``changes``: a line a claim."""
        many = f"{len(changes)} claims have" if len(changes) != 1 else "1 claim has"
        return cls("verdicts_changed", f"{many} another verdict since the publication before", changes)

    @classmethod
    def of_revisions(cls, found: Revisions) -> Notice:
        """Returns the notice of a publication that revised figures by more than rounding."""
        many = f"{found.total.notable} figures were" if found.total.notable != 1 else "1 figure was"
        return cls("figures_revised", f"{many} revised: {found.total.text}", found.lines)

    @property
    def text(self) -> str:
        return "\n".join([self.headline, *self.details])


def notify(notice: Notice, webhook_url: HttpUrl | None) -> None:
    """Log the notice and post it."""
    log.warning(notice.text)
    post(notice, webhook_url)


def post(notice: Notice, webhook_url: HttpUrl | None) -> bool:
    """Send the notice to the webhook, if there is one. Returns whether it arrived; a failure is logged, not raised."""
    if webhook_url is None:
        return False
    try:
        answer = requests.post(str(webhook_url), json={**asdict(notice), "text": notice.text}, timeout=TIMEOUT_S)
        answer.raise_for_status()
    except requests.RequestException as error:
        # the address may hold a secret: the host is enough to mend it
        log.error("the webhook at %s was not reached: %s", webhook_url.host, type(error).__name__)
        return False
    return True
