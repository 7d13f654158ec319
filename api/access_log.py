"""One log line a request, with an id that the response carries too. Headers and queries stay out of it."""

import time
from collections.abc import Callable
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callboard.core.logging import get_logger

log = get_logger(__name__)
access = get_logger("callboard.api.access")

#: Asked every few seconds by whoever watches this process; logged only when they fail.
QUIET = frozenset({"/healthz", "/readyz"})
MAX_PATH = 300


class AccessLog:
    """Pure ASGI middleware around the whole application.

    What the application did not foresee ends here too, so that such a request has its line and its id like
    any other; `unforeseen` makes the response for it.
    """

    def __init__(self, app: ASGIApp, unforeseen: Callable[[Request], Response]) -> None:
        self.app = app
        self.unforeseen = unforeseen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid4().hex[:16]
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        begun = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception:
            log.exception("A request failed.", action="request_failed", request_id=request_id)
            if status == 0:
                await self.unforeseen(Request(scope))(scope, receive, answer)
        finally:
            _write(scope, status, round((time.perf_counter() - begun) * 1000, 1))


def _write(scope: Scope, status: int, duration_ms: float) -> None:
    path = scope["path"]
    if path in QUIET and status < 400:
        return
    state = scope["state"]
    client = scope.get("client")
    access.log(
        _level(status),
        "Request.",
        action="request",
        method=scope["method"],
        path=path[:MAX_PATH],
        status=status or None,
        duration_ms=duration_ms,
        client=client[0] if client else None,
        principal=state.get("principal"),
        request_id=state["request_id"],
    )


def _level(status: int) -> int:
    # A client that went away before the answer leaves no status.
    return 30 if status >= 500 else 20
