"""Answers, made quickly."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body."""
        return orjson.dumps(content)


def problem(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer of a service that says nothing particular about its troubles."""
    words = {401: "unauthorized", 404: "not_found", 429: "too_many_requests", 503: "unavailable"}
    code = words.get(status, "invalid" if status < 500 else "internal")
    message = {
        401: "The token is missing or not known.",
        404: "There is nothing of that name.",
        429: "Too many requests.",
    }.get(status, "The request cannot be understood." if status < 500 else "Something went wrong.")
    return Json({"error": code, "message": message}, status, headers)


def bearer(request: Request) -> str | None:
    """The token that the request carries as `Authorization: Bearer`, or None."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


async def body_of(request: Request) -> Any:
    """The JSON of the request's body; None where it is none."""
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return None
