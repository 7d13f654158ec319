"""A real HTTP server that gives the answers which a test has prepared, one after the other."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class Answer:
    """An answer, after `after_s`, a byte each `trickle_s`; `drop` closes the connection instead."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    trickle_s: float = 0.0
    drop: bool = False


@dataclass(slots=True)
class Asked:
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


class Answering:
    """The server: `script` are the answers to come; the last one goes on for ever."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: list[Answer] = [Answer()]
        self.asked: list[Asked] = []
        self.connections = 0
        self._lock = threading.Lock()

    def take(self, asked: Asked) -> Answer:
        """Note the request, and take the next answer."""
        with self._lock:
            self.asked.append(asked)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@contextmanager
def answering() -> Iterator[Answering]:
    """Serve on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            service.connections += 1

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = service.take(Asked(self.command, self.path, headers, body, time.monotonic()))
            if answer.after_s:
                ended.wait(answer.after_s)
            if answer.drop:
                self.close_connection = True
                return
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if not answer.trickle_s:
                    self.wfile.write(answer.body)
                    return
                for byte in answer.body:
                    self.wfile.write(bytes([byte]))
                    if ended.wait(answer.trickle_s):
                        break
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service = Answering(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
