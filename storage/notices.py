"""Hearing of changes in PostgreSQL at once: LISTEN on a connection of its own."""

import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self
from uuid import uuid4

import psycopg
from psycopg import sql

from callboard.storage.engine import NETWORK, psycopg_url

#: Called with the channel of a notice and the process id of the connection that sent it.
Hear = Callable[[str, int], None]

#: Seconds between two proofs that notices still arrive, and the wait for one.
PROBE_EVERY = 10.0
PROBE_WAIT = 3.0


class NoticesLostError(Exception):
    """Notices no longer arrive on this connection, though it may look alive."""


class Notices:
    """A connection that listens on some channels.

    A pooler in between, or a network that swallows packets, loses notices without a sign. So the connection
    sends itself one now and then, and counts as lost when that does not come back.

    Raises:
        psycopg.Error: PostgreSQL does not answer.
    """

    def __init__(
        self, url: str, channels: Iterable[str], *, application_name: str = "callboard-notices"
    ) -> None:
        self._probe = f"callboard_probe_{uuid4().hex}"
        self._connection = psycopg.connect(
            psycopg_url(url),
            autocommit=True,
            connect_timeout=5,
            application_name=application_name,
            **NETWORK,
        )
        for channel in (*channels, self._probe):
            self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    def follow(self, hear: Hear, stopped: Callable[[], bool]) -> None:
        """Call `hear(channel, pid)` for each notice, until `stopped()` or the connection is lost.

        Raises:
            NoticesLostError: a notice that was sent did not come back.
            psycopg.Error: the connection is lost.
        """
        while not stopped():
            self._hear_for(PROBE_EVERY, hear, stopped)
            if not stopped():
                self.prove(hear)

    def prove(self, hear: Hear) -> None:
        """See that notices arrive, by sending one; call `hear` for others that come meanwhile.

        Raises:
            NoticesLostError: it did not come back.
            psycopg.Error: the connection is lost.
        """
        self._connection.execute("SELECT pg_notify(%s, '')", [self._probe])
        proven = False

        def listen(channel: str, pid: int) -> None:
            nonlocal proven
            if channel == self._probe:
                proven = True
            else:
                hear(channel, pid)

        self._hear_for(PROBE_WAIT, listen, lambda: proven)
        if not proven:
            raise NoticesLostError("a notice that was sent did not come back; is there a pooler in between?")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hear_for(self, seconds: float, hear: Hear, enough: Callable[[], bool]) -> None:
        end = time.monotonic() + seconds
        while not enough() and (left := end - time.monotonic()) > 0:
            # Read to the end: leaving the generator early would drop notices that came in the same packet.
            for notice in self._connection.notifies(timeout=min(left, 0.5), stop_after=1):
                hear(notice.channel, notice.pid)
