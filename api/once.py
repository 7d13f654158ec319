"""`Idempotency-Key`: routes that make something happen have `dependencies=ONCE` and are `OnceRoute`s."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from callboard.api.dependencies import Caller, CurrentContext
from callboard.api.parameters import IdempotencyKey
from callboard.control.once import Answer, Claim, give_back, keep, take
from callboard.core.errors import CallboardError, Unavailable
from callboard.core.logging import get_logger

log = get_logger(__name__)

#: The header of an answer that was given before.
REPLAYED: Final = "Idempotency-Replayed"
#: The headers of an answer that are kept with it.
KEPT: Final = ("content-type", "etag", "location")


class Known(Exception):
    """The request has been answered before."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


async def once(
    request: Request, context: CurrentContext, caller: Caller, idempotency_key: IdempotencyKey = None
) -> None:
    """Take the key of the request, if it has one."""
    if idempotency_key is None:
        return
    whole = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    found = await run_in_threadpool(take, context, caller, idempotency_key, whole)
    if isinstance(found, Answer):
        raise Known(found)
    request.state.claim = found


ONCE: Final = [Depends(once)]


class OnceRoute(APIRoute):
    """A route whose answers are kept with the keys of their requests."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, and the keeping around it."""
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            try:
                response = await handle(request)
            except Known as known:
                headers = {**known.answer.headers, REPLAYED: "true"}
                return Response(known.answer.body, known.answer.status, headers)
            except (CallboardError, RequestValidationError):
                # Refused: nothing has been done. After any other error nobody knows; the key stays taken.
                await _settle(request, None)
                raise
            await _settle(request, response if response.status_code < 400 else None)
            return response

        return handle_once


async def _settle(request: Request, response: Response | None) -> None:
    claim: Claim | None = getattr(request.state, "claim", None)
    if claim is None:
        return
    context = request.app.state.context
    try:
        if response is None:
            await run_in_threadpool(give_back, context, claim)
        else:
            headers = {name: response.headers[name] for name in KEPT if name in response.headers}
            answer = Answer(response.status_code, headers, bytes(response.body))
            await run_in_threadpool(keep, context, claim, answer)
    except Unavailable as error:
        log.warning("An answer was not kept.", action="answer_not_kept", reason=str(error))
