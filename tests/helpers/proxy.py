"""A network between a client and Redis that may swallow what it carries."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class Network:
    """Carries bytes between its own port and a server's unix socket."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lost: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self) -> None:
        """Lose whatever the connections that there are carry from now on, without a sign."""
        self._lost = set(self._open)

    def close(self) -> None:
        """Carry nothing any more."""
        self._listener.close()
        for end in list(self._open):
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._target)
                self._open |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                if one not in self._lost:
                    other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@contextmanager
def network_to(url: str) -> Iterator[tuple[Network, str]]:
    """A network to the Redis of a `unix://` URL, and the URL by which it is reached through it."""
    parts = urlsplit(url)
    network = Network(parts.path)
    database = parse_qs(parts.query).get("db", ["0"])[0]
    account, at, _ = parts.netloc.rpartition("@")
    try:
        yield network, f"redis://{account}{at}127.0.0.1:{network.port}/{database}"
    finally:
        network.close()
