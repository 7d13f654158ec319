"""Both embedded servers of one home, under its lock."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from callboard.storage.embedded.lock import HomeLock
from callboard.storage.embedded.postgres import PostgresServer
from callboard.storage.embedded.valkey import ValkeyServer


class EmbeddedServers:
    """PostgreSQL and Valkey under `home`, started by this process and ended with it.

    Either can be left out, where the environment names a server for it; the home's lock is taken even so.
    Start them from the main thread: they end with the thread that started them.
    """

    def __init__(
        self,
        home: Path,
        *,
        postgres: bool = True,
        valkey: bool = True,
        postgres_options: Mapping[str, str] | None = None,
        valkey_options: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home.resolve()
        self.lock = HomeLock(self.home)
        self.postgres = PostgresServer(self.home, postgres_options) if postgres else None
        self.valkey = ValkeyServer(self.home, valkey_options) if valkey else None

    def start(self) -> tuple[str, str]:
        """Start the servers; return the database's and Redis's URL, empty for the one left out.

        Raises:
            Conflict: another process runs this home.
            Unavailable: a server has no binary for this platform, or does not start.
        """
        self.lock.acquire()
        try:
            database_url = self.postgres.start(self.lock.fd) if self.postgres else ""
            redis_url = self.valkey.start(self.lock.fd) if self.valkey else ""
            self._note()
        except BaseException:
            self.stop()
            raise
        return database_url, redis_url

    def revive(self) -> list[str]:
        """Start again whichever server has died; return the names of those.

        Raises:
            Unavailable: a server does not start.
        """
        revived = []
        for server in (self.postgres, self.valkey):
            if server is not None and not server.process.running:
                server.start(self.lock.fd)
                revived.append(server.process.name)
        if revived:
            self._note()
        return revived

    def dead(self) -> list[str]:
        """The names of the servers that have died."""
        servers = (self.postgres, self.valkey)
        return [
            server.process.name for server in servers if server is not None and not server.process.running
        ]

    def stop(self) -> None:
        """End the servers in order and give up the lock. Nothing happens where nothing runs."""
        try:
            if self.valkey is not None:
                self.valkey.stop()
        finally:
            try:
                if self.postgres is not None:
                    self.postgres.stop()
            finally:
                self.lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _note(self) -> None:
        servers = (self.postgres, self.valkey)
        self.lock.note(
            [server.process.pid for server in servers if server is not None and server.process.pid]
        )
