"""Messages to the operator: always to the log, and to a webhook where one is set.

Belongs here: the message and how it is sent. Does not belong here: what causes one
(``pipelines.orchestration.automation``, the command line, the publication).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pipelines.revisions import Revisions

TIMEOUT_S = 10
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """One message: a headline and details. ``text`` is the field that chat services show."""

    kind: Literal["run_failed", "not_published", "adapter_failed", "verdicts_changed", "figures_revised"]
    headline: str
    details: Sequence[str] = ()

    @classmethod
    def of_verdicts(cls, changes: Sequence[str]) -> Message:
        """Return the message of changed verdicts.

        Args:
            changes: One line per claim.
        """
        many = f"{len(changes)} claims have" if len(changes) != 1 else "1 claim has"
        return cls("verdicts_changed", f"{many} a different verdict since the previous publication", changes)

    @classmethod
    def of_revisions(cls, found: Revisions) -> Message:
        """Return the message of a publication that revised figures by more than rounding."""
        many = f"{found.total.notable} figures were" if found.total.notable != 1 else "1 figure was"
        return cls("figures_revised", f"{many} revised: {found.total.text}", found.lines)

    @classmethod
    def of_faults(cls, faults: Sequence[str]) -> Message:
        """Return the message of errors of this program that left an answer of a provider unread.

        Args:
            faults: One line per indicator and provider.
        """
        many = f"{len(faults)} answers" if len(faults) != 1 else "1 answer"
        return cls("adapter_failed", f"{many} could not be read because of an error of this program", faults)

    @classmethod
    def of_failure(cls, failure: Exception) -> Message:
        """Return the message of a build that is not published."""
        return cls("not_published", "not published; the previous publication remains", str(failure).splitlines())

    @property
    def text(self) -> str:
        return "\n".join([self.headline, *self.details])


def notify(message: Message, webhook_url: str | None) -> None:
    """Write the message to the log and, if a URL is given, send it to the webhook (HTTP POST)."""
    log.warning(message.text)
    post(message, webhook_url)


def post(message: Message, webhook_url: str | None) -> bool:
    """Post the message to the webhook, if one is set.

    Returns:
        True if the webhook accepted it. A failure is logged, not raised.
    """
    if webhook_url is None:
        return False
    import requests  # takes 80 ms, and a refresh that has nothing to report posts nothing

    try:
        answer = requests.post(webhook_url, json={**asdict(message), "text": message.text}, timeout=TIMEOUT_S)
        answer.raise_for_status()
    except requests.RequestException as error:
        # the URL may contain a secret, so only the host is logged
        log.error("the webhook at %s was not reached: %s", urlsplit(webhook_url).hostname, type(error).__name__)
        return False
    return True
