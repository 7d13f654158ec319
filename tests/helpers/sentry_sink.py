"""A server that receives what a Sentry client sends, as Sentry's own ingest does."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class SentrySink:
    """Listens on a free port of 127.0.0.1; `events` and `checkins` are what was received, in order."""

    def __init__(self, *, delay: float = 0.0) -> None:
        self.events: list[dict[str, Any]] = []
        self.checkins: list[dict[str, Any]] = []
        self.requests = 0
        self._arrived = threading.Condition()
        self._answer_now = threading.Event()
        if not delay:
            self._answer_now.set()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink._answer_now.wait(delay)
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                sink._receive(body)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def dsn(self) -> str:
        """The DSN of a client that is to report here."""
        return f"http://public@127.0.0.1:{self._server.server_port}/1"

    def wait_for(self, count: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        """The events, as soon as there are so many."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.events) >= count, timeout):
                raise AssertionError(f"{len(self.events)} of {count} events arrived within {timeout} s")
            return list(self.events)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._answer_now.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _receive(self, envelope: bytes) -> None:
        rest = envelope.partition(b"\n")[2]
        with self._arrived:
            self.requests += 1
            while rest:
                header, _, rest = rest.partition(b"\n")
                kind = json.loads(header)
                length = kind.get("length")
                payload, rest = (rest[:length], rest[length + 1 :]) if length else rest.split(b"\n", 1)
                if kind["type"] == "event":
                    self.events.append(json.loads(payload))
                elif kind["type"] == "check_in":
                    self.checkins.append(json.loads(payload))
            self._arrived.notify_all()
