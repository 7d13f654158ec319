"""The sandbox within the test's process, on free ports, and what jobs have to be told of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from callboard.sandbox.serve import Server, listen
from callboard.sandbox.state import State
from helpers.waiting import wait_for


class Sandboxed:
    """A running sandbox. `environ` are the settings by which jobs find it."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.smtp_url = server.smtp_url
        self.state = server.state
        self.token = server.state.token
        self.environ = {
            "CALLBOARD_SANDBOX_URL": server.url,
            "CALLBOARD_SANDBOX_SMTP_URL": server.smtp_url,
            "CALLBOARD_SANDBOX_TOKEN": server.state.token,
        }

    def turn(self, service: str, **knobs: Any) -> None:
        """Turn knobs of a service: failure_rate, failure_status, lost_answer_rate, outage, rate_limit ..."""
        httpx.put(f"{self.url}/_knobs", json={service: knobs}, trust_env=False).raise_for_status()

    def reset(self) -> None:
        """Forget everything, and put the knobs back."""
        httpx.post(f"{self.url}/_reset", trust_env=False).raise_for_status()

    def counts(self, service: str) -> dict[str, int]:
        """A service's figures: requests, status_<code>, repeats, deliveries, lost_answers."""
        return self.state.counts().get(service, {})

    def deliveries(self, service: str) -> list[dict[str, Any]]:
        """What has reached somebody, the latest first. Of mail: id, from, to, subject, text."""
        return self.state.deliveries(service)


@contextmanager
def sandboxed(token: str = "sandbox") -> Iterator[Sandboxed]:
    """Run the sandbox in a thread. In a fixture:

    with sandboxed() as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        yield sandbox
    """
    with listen(0) as http, listen(0) as mail:
        server = Server(State(token), http, mail)
        thread = threading.Thread(target=server.serve_until_told, daemon=True)
        thread.start()
        wait_for(lambda: server.started, what="the sandbox")
        try:
            yield Sandboxed(server)
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            assert not thread.is_alive(), "the sandbox does not stop"
