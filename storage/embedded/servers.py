"""Both embedded servers of one home, under its lock."""

from collections.abc import Mapping
from contextlib import ExitStack
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

    @property
    def database_url(self) -> str:
        """The URL of PostgreSQL once started, or nothing where it is left out."""
        return self.postgres.url if self.postgres else ""

    @property
    def redis_url(self) -> str:
        """The URL of Valkey once started, or nothing where it is left out."""
        return self.valkey.url if self.valkey else ""

    @property
    def data_elsewhere(self) -> Path | None:
        """The folder of PostgreSQL's data where it could not be kept in the home (see place.py)."""
        place = self.home / "postgresql"
        return place.readlink() if self.postgres and place.is_symlink() else None

    @property
    def pids(self) -> list[int]:
        """The process ids of the servers that have been started, PostgreSQL's first."""
        return [server.process.pid for server in self._servers() if server.process.pid]

    def start(self) -> tuple[str, str]:
        """Start the servers; return the database's and Redis's URL, empty for the one left out.

        Raises:
            Conflict: another process runs this home.
            Unavailable: a server has no binary for this platform, or does not start.
        """
        if not self.lock.held:
            self.lock.acquire()
        try:
            for server in self._servers():
                server.start(self.lock.fd)
            self.lock.note(self.pids)
        except BaseException:
            self.stop()
            raise
        return self.database_url, self.redis_url

    def dead(self) -> list[str]:
        """The names of the servers that have died."""
        return [server.process.name for server in self._servers() if not server.process.running]

    def revive(self) -> list[str]:
        """Start again whichever server has died; return the names of those.

        Raises:
            Unavailable: a server does not start.
        """
        revived = []
        for server in self._servers():
            if not server.process.running:
                server.start(self.lock.fd)
                revived.append(server.process.name)
        if revived:
            self.lock.note(self.pids)
        return revived

    def trim_logs(self) -> None:
        """Put aside what has grown long of the servers' logs."""
        for server in self._servers():
            server.process.trim_log()

    def stop(self) -> None:
        """End the servers and give up the lock. Nothing happens where nothing runs."""
        with ExitStack() as stack:
            stack.callback(self.lock.release)
            for server in self._servers():
                stack.callback(server.stop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _servers(self) -> list[PostgresServer | ValkeyServer]:
        return [server for server in (self.postgres, self.valkey) if server is not None]
