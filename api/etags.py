"""Answers 304 to who asks for what they have already: each answer to a GET has its digest as `ETag`."""

from hashlib import sha256
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PREFIX: Final = "/api/"
#: Whoever keeps an answer asks each time whether it still holds.
CACHE: Final = b"private, no-cache"
#: What a GET answers that makes something happen: whoever sends it again wants it to happen again.
NOT_KEPT: Final = {"Cache-Control": "no-store"}
_OWN: Final = (b"etag", b"cache-control")


class ETags:
    """Pure ASGI middleware. Answers that have an `ETag` or a `Cache-Control` of their own pass by it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        parts: list[bytes] = []

        async def hold(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_plain(message):
                start = message
            elif start is None or message["type"] != "http.response.body":
                await send(message)
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    await _answer(scope, start, b"".join(parts), send)

        await self.app(scope, receive, hold)


async def _answer(scope: Scope, start: Message, body: bytes, send: Send) -> None:
    tag = f'"{sha256(body).hexdigest()[:32]}"'.encode()
    extra = [(b"etag", tag), (b"cache-control", CACHE)]
    if _is_known(scope, tag):
        await send({"type": "http.response.start", "status": 304, "headers": extra})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({**start, "headers": [*start.get("headers", ()), *extra]})
    await send({"type": "http.response.body", "body": body})


def _is_plain(message: Message) -> bool:
    return message["status"] == 200 and not any(name.lower() in _OWN for name, _ in message["headers"])


def _is_known(scope: Scope, tag: bytes) -> bool:
    given = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
    known = {each.strip().removeprefix(b"W/") for each in given.split(b",")}
    return tag in known or known == {b"*"}
