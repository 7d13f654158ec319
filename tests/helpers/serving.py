"""The API on a real socket, within the test's process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from callboard.api.app import create_app
from callboard.api.serve import Server
from callboard.core.settings import Settings
from helpers.waiting import wait_for


@contextmanager
def serving(settings: Settings, app: FastAPI | None = None) -> Iterator[str]:
    """Serve the API on a free port; gives its URL."""
    app = app or create_app(settings)
    with _listener() as listener:
        port = listener.getsockname()[1]
        server = Server(app, "127.0.0.1", port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_for(lambda: server.started, what="the API")
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            assert not thread.is_alive(), "the API does not stop"


def _listener() -> socket.socket:
    """A socket on a free port."""
    # Of a socket that does not name TCP, asyncio leaves Nagle's algorithm on: 40 ms for each answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener
