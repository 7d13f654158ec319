"""Stands before all services: counts and logs each request, and does to it what the knobs say."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callboard.sandbox.knobs import Knob, Knobs
from callboard.sandbox.state import State, now

#: The answer of a load balancer that has nobody to send a request to.
OUTAGE = b"<html><head><title>503 Service Temporarily Unavailable</title></head></html>"

#: Makes a service's answer to its troubles, in its own shape, of a status and headers.
Problem = Callable[[int, dict[str, str]], Response]


class Front:
    """A plain ASGI application: the ready-made middleware base would halve the speed."""

    def __init__(self, app: ASGIApp, state: State, knobs: Knobs, problems: dict[str, Problem]) -> None:
        self._app = app
        self._state = state
        self.knobs = knobs
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = scope["path"].split("/", 2)[1] if scope["type"] == "http" else ""
        knob = self.knobs.of(service)
        if knob is None:
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # Before the answer, so that whoever has it finds it noted.
                self._note(service, scope, status, time.perf_counter() - begun)
            await send(message)

        delay = knob.delay_s()
        if delay:
            await asyncio.sleep(delay)
        trouble = self._trouble(service, knob)
        if trouble is not None:
            # What is sent is read first: a connection that is closed over it would be reset.
            await _read(receive)
            await trouble(scope, receive, watched)
        elif knob.falls(knob.setting.lost_answer_rate):
            await self._app(scope, receive, _nowhere)
            self._state.count(service, "lost_answers")
            await self._problems[service](knob.setting.failure_status, {})(scope, receive, watched)
        else:
            await self._app(scope, receive, watched)
        if not status:
            self._note(service, scope, status, time.perf_counter() - begun)

    def _trouble(self, service: str, knob: Knob) -> Response | None:
        setting = knob.setting
        if setting.outage:
            return HTMLResponse(OUTAGE, 503)
        if not knob.admits():
            return self._problems[service](429, {"Retry-After": "1"})
        if knob.falls(setting.failure_rate):
            return self._problems[service](setting.failure_status, {})
        return None

    def _note(self, service: str, scope: Scope, status: int, took_s: float) -> None:
        self._state.count(service, "requests")
        self._state.count(service, f"status_{status}")
        noted: dict[str, Any] = {
            "at": now(),
            "service": service,
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": round(took_s * 1_000, 1),
        }
        for name, value in scope["headers"]:
            if name == b"idempotency-key":
                noted["key"] = value.decode("latin-1")
        self._state.log.append(noted)


async def _read(receive: Receive) -> None:
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass


async def _nowhere(_message: Message) -> None:
    return
