"""The requests of one run: each address asked once, earlier answers asked to be confirmed, every exchange noted.

Belongs here: what is sent again and what is not, within a run and between runs; the operator's file that takes the
place of one that a host does not give out; the run answered from its record. Does not belong here: the request itself
(``http``), where answers are kept (the warehouse, behind ``Validators``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from threading import Lock
from typing import Protocol
from urllib.parse import unquote, urlsplit

from requests.models import PreparedRequest
from requests.structures import CaseInsensitiveDict

from sources.http.bodies import CHUNK, Spool, spooled
from sources.http.client import MAX_BODY_MIB, Failure, FailureKind, Http, Reply
from sources.observation import utc_now
from sources.refusals import RefusedCode, RefusedCodes

CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
"""What a host said of its answer -> how it is asked whether that still holds."""


class Kept(Protocol):
    """The last good answer of an address: as it was sent, and when."""

    @property
    def url(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def retrieved_at(self) -> datetime: ...


class Validators(Protocol):
    """What earlier runs kept. Bytes that are no longer those that were sent are not given out."""

    def last(self, url: str) -> Kept | None: ...


@dataclass(frozen=True)
class Exchange:
    """One address as it was asked, parameters included, and what came of it."""

    asked: str
    reply: Reply


def placed_bodies(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """Returns the hashes (sha256) of the bodies that came from files of the operator, not from a host."""
    return frozenset(exchange.reply.body.sha256 for exchange in exchanges if exchange.reply.placed)


def address(url: str, params: Mapping[str, str | int] | None = None) -> str:
    """The address as it is asked: with its query, and escaped as it is sent."""
    request = PreparedRequest()
    try:
        request.prepare_url(url, params)
    except ValueError:  # nobody can be asked there: whoever tries will be told
        return url
    return str(request.url)


FILE = re.compile(r"[^/]+\.(csv|xlsx|xls|zip)", re.IGNORECASE)


def file_name(url: str) -> str | None:
    """The name of the file that an address leads to; None where it leads to something else, or has a query."""
    parts = urlsplit(url)
    name = unquote(parts.path.rpartition("/")[2])
    return name if not parts.query and FILE.fullmatch(name) else None


def remedy(url: str) -> str:
    """Returns what an operator can do where a provider turns programs away, in one sentence."""
    if name := file_name(url):
        return f"fetch {url} with a browser and put it as {name} into the local folder (CAREC_LOCAL_FILES)"
    return "name a contact address in CAREC_CONTACT where there is none yet, else ask the provider for access"


@dataclass(kw_only=True)
class RunHttp(Http):
    """The session of one run. An address is asked once, however many indicators need it; its reply serves them all.

    A kept answer is asked to be confirmed (``If-None-Match``, ``If-Modified-Since``), or is taken as it is where
    ``unchanged`` says so; the reply then carries the kept content. Where the request for a file fails and the operator
    has a file of that name in ``local_files``, the reply carries that file's content.
    """

    validators: Validators
    local_files: Path | None = None
    exchanges: list[Exchange] = field(init=False, default_factory=list, repr=False)
    _replies: dict[str, Future[Reply]] = field(init=False, default_factory=dict, repr=False)
    _turn: Lock = field(init=False, default_factory=Lock, repr=False)

    def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        accept: tuple[str, ...] = (),
        connect_timeout_s: float = 3.0,
        read_timeout_s: float = 60.0,
        max_body_mib: int = MAX_BODY_MIB,
        provider: str = "",
        headers: Mapping[str, str] | None = None,
        unchanged: Callable[[Reply], bool] | None = None,
        retry_timeouts: bool = True,
        transient: Callable[[Reply], bool] | None = None,
    ) -> Reply:
        asked = address(url, params)

        def ask(conditions: Mapping[str, str]) -> Reply:
            return super(RunHttp, self).get(
                asked,
                accept=accept,
                connect_timeout_s=connect_timeout_s,
                read_timeout_s=read_timeout_s,
                max_body_mib=max_body_mib,
                provider=provider,
                headers={**(headers or {}), **conditions},
                retry_timeouts=retry_timeouts,
                transient=transient,
            )

        with self._turn:
            known = self._replies.get(asked)
            future = self._replies.setdefault(asked, Future())
        if known is not None:
            return known.result()
        try:
            reply = self._confirmed(asked, ask, unchanged)
            if reply.failure is not None:
                reply = self._placed(asked, reply.url) or reply
        except BaseException as error:
            future.set_exception(error)
            raise
        self.exchanges.append(Exchange(asked, reply))
        future.set_result(reply)
        return reply

    def _confirmed(
        self, asked: str, ask: Callable[[Mapping[str, str]], Reply], unchanged: Callable[[Reply], bool] | None
    ) -> Reply:
        """The kept answer where it still holds, else what the host sends."""
        kept = self.validators.last(asked)
        if kept is None:
            return ask({})
        headers: CaseInsensitiveDict[str] = CaseInsensitiveDict(kept.headers)
        body = spooled(kept.content, self.folder)
        held = Reply(kept.url, body, 200, headers, kept.retrieved_at, revalidated=True)
        if unchanged and unchanged(held):
            return held
        reply = ask({name: headers[said] for said, name in CONDITIONS.items() if said in headers})
        return replace(held, retrieved_at=utc_now()) if reply.status == 304 else reply

    def _placed(self, *urls: str) -> Reply | None:
        """The operator's file in the place of one that could not be had; None where there is none of that name."""
        for name in filter(None, map(file_name, urls)):
            path = self.local_files / name if self.local_files else None
            if path is None or not path.is_file():
                continue
            try:
                changed = formatdate(path.stat().st_mtime, usegmt=True)
                with path.open("rb") as stream, Spool(self.folder) as spool:
                    while part := stream.read(CHUNK):
                        spool.write(part)
            except OSError:
                continue
            headers = CaseInsensitiveDict({"Last-Modified": changed})
            return Reply(f"local_file:{name}", spool.body(), 200, headers, placed=True)
        return None


class RecordedHttp(Http):
    """A run as it was recorded, answered again without a network."""

    def __init__(self, exchanges: Iterable[Exchange], refused: Iterable[RefusedCode] = ()) -> None:
        super().__init__(refused=RefusedCodes(refused))
        self.missing: list[str] = []
        """What was asked and is not in the record: the code or the catalogue is another than that of the run."""
        self._record = {exchange.asked: exchange.reply for exchange in exchanges}

    def get(self, url: str, params: Mapping[str, str | int] | None = None, **_: object) -> Reply:
        asked = address(url, params)
        if asked in self._record:
            return self._record[asked]
        self.missing.append(asked)
        return Reply(asked, failure=Failure(FailureKind.UNREACHABLE, f"{asked} is not in the record of this run"))
