"""Locks that the processes of all machines share: advisory locks of PostgreSQL.

Belongs here: one holder at a time of a name, and a number of requests at a time per host. Does not belong here: what is
done under a lock.

A lock belongs to a connection. It is free when the connection ends: also after a killed process, and some 30 seconds
after a machine has left the network.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

from warehouse.lake.connection import Lake, catalogue
from warehouse.lake.errors import LakeError

PUBLICATION = "publication"
MAINTENANCE = "maintenance"
LANDING = "landing"

WAIT_S = 900.0
"""Seconds to wait for another publication or landing: several times what one takes."""
LONGEST_WAIT_S = 86_400.0
_KEEP_ALIVE = (
    "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4;"
    " set tcp_user_timeout = 30000"
)
"""PostgreSQL then notices within 30 s that a machine is gone; the default is two hours."""
_HOLDER = """
    select a.client_addr, a.pid, a.backend_start from pg_locks as l join pg_stat_activity as a using (pid)
    where l.locktype = 'advisory' and l.granted and (l.classid::bigint << 32) + l.objid::bigint = %s
        and l.database = (select oid from pg_database where datname = current_database())
"""


def polling(provider: str) -> str:
    """Return the name of the lock of a provider: its holder asks the provider and lands its answers."""
    return f"poll of {provider}"


def _key(name: str) -> int:
    """Return the key of PostgreSQL's advisory lock, unlikely to be that of another program."""
    return int.from_bytes(hashlib.sha256(f"carec {name}".encode()).digest()[:8], "big", signed=True)


class Locks:
    """The locks of one connection. They are free when its block ends."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def take(self, name: str, wait_s: float = 0.0) -> str | None:
        """Take a lock.

        Args:
            name: What is locked.
            wait_s: Seconds to wait for another holder.

        Returns:
            None, or who holds it after that time: the address and the process of the connection.
        """
        if self._taken(name, wait_s):
            return None
        self._cursor.execute(_HOLDER, [_key(name)])
        holder = self._cursor.fetchone()
        if holder is None:  # it has just ended
            return "until now"
        return f"from {holder[0]}, PostgreSQL process {holder[1]}, since {holder[2]:%H:%M:%S}"

    def _taken(self, name: str, wait_s: float) -> bool:
        if wait_s <= 0:
            self._cursor.execute("select pg_try_advisory_lock(%s)", [_key(name)])
            return bool(self._cursor.fetchone()[0])
        from psycopg2.errors import LockNotAvailable  # type: ignore[import-untyped]

        milliseconds = f"{1000 * min(wait_s, LONGEST_WAIT_S):.0f}"
        self._cursor.execute("select set_config('lock_timeout', %s, false)", [milliseconds])
        with suppress(LockNotAvailable):
            self._cursor.execute("select pg_advisory_lock(%s)", [_key(name)])  # in the order of asking
            return True
        return False

    def check(self) -> None:
        """Raise psycopg2's error, which is LakeError outside the block, if the connection and its locks are lost."""
        self._cursor.execute("select 1")


@contextmanager
def locks(lake: Lake) -> Iterator[Locks]:
    """Yield a connection for locks, without any yet. At the end of the block its locks are free.

    Raises:
        LakeError: PostgreSQL cannot be reached, within the block too.
    """
    with catalogue(lake) as connection, connection.cursor() as cursor:
        cursor.execute(_KEEP_ALIVE)
        yield Locks(cursor)
        with suppress(connection.Error):  # a connection that is lost has no locks
            # PostgreSQL ends a closed connection some time later
            cursor.execute("select pg_advisory_unlock_all()")


@contextmanager
def locked(
    lake: Lake, what: str, wait_s: float = 0.0, waiting: Callable[[str], None] = lambda sentence: None
) -> Iterator[None]:
    """Hold one of the lake's locks within the block.

    Args:
        lake: The address.
        what: Name of the lock.
        wait_s: Seconds to wait for another process.
        waiting: Called with a sentence before the wait.

    Raises:
        LakeError: Another process holds it after ``wait_s`` seconds; the message names its host and its process.
    """
    with locks(lake) as ours:
        who = ours.take(what)
        if who and wait_s > 0:
            waiting(f"another {what} of the lake {lake.shown} is running {who}; this one waits for it and follows")
            who = ours.take(what, wait_s)
        if who:
            raise LakeError(f"another {what} of the lake {lake.shown} is running {who}; wait for it, then try again")
        yield


class HostSlots:
    """Requests at a time per host, over all processes that use the lake.

    Each host has so many locks as it allows requests. A request takes a free one; where there is none, it queues for
    one of them, so that no process can keep the others out.

    Args:
        lake: The address.
        parallel: Host -> requests at a time, where fewer than ``most`` are allowed.
        most: Requests at a time of every other host.
        connection: For the locks that are free at once; one for all threads.
    """

    def __init__(self, lake: Lake, parallel: Mapping[str, int], most: int, connection: Any) -> None:
        self._lake = lake
        self._parallel, self._most = parallel, most
        self._connection = connection
        self._mutex = Lock()
        self._held: defaultdict[str, set[int]] = defaultdict(set)

    @contextmanager
    def of(self, host: str, until: float) -> Iterator[None]:
        """Hold a slot of a host within the block.

        Args:
            host: Host, with its port if the address has one.
            until: Monotonic time until which to wait.

        Raises:
            TimeoutError: Other processes hold every slot.
            ConnectionError: PostgreSQL cannot be asked.
        """
        number = self._free_one(host)
        if number is None:
            with self._queued(host, until):
                yield
            return
        try:
            yield
        finally:
            with suppress(ConnectionError):  # without the connection there is no lock
                self._release(host, number)

    def _slots(self, host: str) -> range:
        return range(self._parallel.get(host, self._most))

    def _free_one(self, host: str) -> int | None:
        """Return a slot that was free; None if there is none."""
        with self._mutex:
            for number in self._slots(host):  # one connection gets a lock that it has as often as it asks
                if number not in self._held[host] and self._ask("pg_try_advisory_lock", host, number):
                    self._held[host].add(number)
                    return number
        return None

    def _release(self, host: str, number: int) -> None:
        with self._mutex:
            self._held[host].discard(number)
            self._ask("pg_advisory_unlock", host, number)

    def _ask(self, function: str, host: str, number: int) -> bool:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"select {function}(%s)", [_key(_slot(host, number))])
                return bool(cursor.fetchone()[0])
        except Exception as error:
            raise ConnectionError(f"{host}: the catalogue of the lake, which counts requests, is lost") from error

    @contextmanager
    def _queued(self, host: str, until: float) -> Iterator[None]:
        """Wait for a slot in PostgreSQL's own queue, with a connection of its own, and hold it within the block."""
        try:
            with locks(self._lake) as queue:
                if queue.take(_slot(host, random.choice(self._slots(host))), max(0.001, until - time.monotonic())):
                    raise TimeoutError(f"{host}: other workers send as many requests as it allows")
                yield
        except LakeError as error:
            raise ConnectionError(str(error)) from None


def _slot(host: str, number: int) -> str:
    return f"slot {number} of {host}"


@contextmanager
def host_slots(lake: Lake, parallel: Mapping[str, int], most: int) -> Iterator[HostSlots]:
    """Yield the slots of all hosts, with one connection. Arguments as for ``HostSlots``.

    Raises:
        LakeError: PostgreSQL cannot be reached.
    """
    with catalogue(lake) as connection:
        with connection.cursor() as cursor:
            cursor.execute(_KEEP_ALIVE)
        yield HostSlots(lake, parallel, most, connection)
