"""Bodies as `curl -d` sends them: JSON that is called a form, unless somebody says otherwise."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

_UNSAID = ("", "application/x-www-form-urlencoded")


class CurlRoute(APIRoute):
    """Takes the body for JSON where it has no type, or the one that curl gives to all that `-d` sends."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind a look at the type of the body."""
        handle = super().get_route_handler()

        async def look(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind not in _UNSAID:
                return await handle(request)
            headers = [each for each in request.scope["headers"] if each[0] != b"content-type"]
            headers.append((b"content-type", b"application/json"))
            return await handle(Request({**request.scope, "headers": headers}, request.receive))

        return look
