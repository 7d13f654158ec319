"""A Valkey of a test's own, to be stopped and started in the middle of things."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callboard.storage.embedded import EmbeddedServers
from helpers.homes import short_folder


class OwnRedis:
    """One server under a folder. What it has confirmed outlives it, unless it is `forgetful`."""

    def __init__(self, folder: Path, *, forgetful: bool = False) -> None:
        self._folder = folder
        self._options = {"appendonly": "no"} if forgetful else {"appendfsync": "always"}
        self._servers = self._made()
        _, self.url = self._servers.start()

    def _made(self) -> EmbeddedServers:
        return EmbeddedServers(self._folder, postgres=False, valkey_options=self._options)

    def stop(self) -> None:
        """End the server; its clients lose their connections."""
        self._servers.stop()

    def kill(self) -> None:
        """End the server without letting it do anything more."""
        os.kill(self._servers.pids[0], signal.SIGKILL)
        self._servers.stop()

    def start(self) -> None:
        """Start it again, where it was, with what it had."""
        self._servers = self._made()
        assert self._servers.start()[1] == self.url

    def freeze(self) -> None:
        """Let it accept connections and answer nothing."""
        os.kill(self._servers.pids[0], signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        os.kill(self._servers.pids[0], signal.SIGCONT)


@contextmanager
def own_redis(*, forgetful: bool = False) -> Iterator[OwnRedis]:
    """A server that is gone afterwards."""
    with short_folder() as folder:
        server = OwnRedis(folder / "home", forgetful=forgetful)
        try:
            yield server
        finally:
            server.stop()
