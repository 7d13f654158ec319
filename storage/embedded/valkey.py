"""The embedded Valkey, which speaks Redis: `<home>/valkey`, reached by a unix socket alone."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from callboard.core.errors import Unavailable
from callboard.storage.embedded.account import Account, user_name
from callboard.storage.embedded.binaries import valkey_binary
from callboard.storage.embedded.process import ServerProcess
from callboard.storage.embedded.sockets import socket_folder
from callboard.storage.embedded.syncing import DiskSync

_SOCKET = "valkey.sock"

SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "no",  # everysec loses what it confirmed while the disk is slow: DiskSync does it
    "save": "",  # the append-only file is the record
    "maxmemory-policy": "noeviction",
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "databases": "16",
    "loglevel": "notice",
}


class ValkeyServer:
    """One append-only file and the process that serves it. `options` win over `SETTINGS`."""

    def __init__(self, home: Path, options: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.options = {**SETTINGS, **(options or {})}
        self.process = ServerProcess("Valkey", home / "logs" / "valkey.log", signal.SIGTERM)
        self.sync = DiskSync(home / "valkey" / "appendonlydir")
        self.url = ""

    def start(self, lock_fd: int, patience: float = 120.0) -> str:
        """Start the server and return its URL once it has loaded its data.

        Raises:
            Unavailable: there is no binary, or it does not start.
        """
        binary = valkey_binary()
        account = _self()
        place = self.home / "valkey"
        place.mkdir(mode=0o700, exist_ok=True)
        socket = socket_folder(place / "run", _SOCKET, account) / _SOCKET
        socket.unlink(missing_ok=True)
        argv: list[str | Path] = [binary, "--dir", place, "--unixsocket", socket]
        for name, value in self.options.items():
            argv += [f"--{name}", value]
        environment = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
        self.process.start(argv, account=account, lock_fd=lock_fd, environment=environment, folder=place)
        self.url = f"unix://{quote(str(socket))}?db=0"
        self._wait_until_ready(patience)
        self.sync.start()
        return self.url

    def stop(self) -> None:
        """Shut down, writing the append-only file to the disk."""
        self.sync.stop()
        self.process.stop()

    def _wait_until_ready(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        client = redis.Redis.from_url(self.url, socket_timeout=5, retry=Retry(NoBackoff(), 0))
        try:
            while True:
                if not self.process.running:
                    raise Unavailable(
                        f"Valkey did not start: {self.process.complaint()} (its log is {self.process.log})."
                    )
                try:
                    client.ping()
                except (
                    redis.ConnectionError,
                    redis.TimeoutError,
                    redis.exceptions.BusyLoadingError,
                ) as error:
                    if time.monotonic() > deadline:
                        raise Unavailable(
                            f"Valkey did not answer within {patience:.0f} s: {error} "
                            f"(its log is {self.process.log})."
                        ) from None
                    time.sleep(0.02)
                else:
                    return
        finally:
            client.close()


def _self() -> Account:
    return Account(os.geteuid(), os.getegid(), user_name(os.geteuid()), dropped=False)
