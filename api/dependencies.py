"""What routes ask for: the context, and who is calling."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from callboard.api.waiting import Waiting
from callboard.control.auth import Principal, bearer_principal
from callboard.control.context import Context

bearer = HTTPBearer(
    auto_error=False,
    description="`CALLBOARD_API_TOKEN`, `CRON_SECRET`, or the token that the first start has printed.",
)


def get_context(request: Request) -> Context:
    """The context that all requests share."""
    context: Context = request.app.state.context
    return context


def get_waiting(request: Request) -> Waiting:
    """The callers that wait for runs."""
    waiting: Waiting = request.app.state.waiting
    return waiting


def get_principal(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    context: Annotated[Context, Depends(get_context)],
) -> Principal:
    """Whose bearer token came with the request; a plain function, so that it runs in a thread."""
    token = credentials.credentials if credentials is not None else None
    address = request.client.host if request.client is not None else None
    principal = bearer_principal(context, token, address=address)
    request.state.principal = principal.name
    return principal


def viewer(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
    """A caller who may see jobs."""
    principal.require("jobs:view")
    return principal


def analyst(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
    """A caller who may see everything about jobs."""
    principal.require("analytics:view_all")
    return principal


CurrentContext = Annotated[Context, Depends(get_context)]
CurrentWaiting = Annotated[Waiting, Depends(get_waiting)]
Caller = Annotated[Principal, Depends(get_principal)]
Viewer = Annotated[Principal, Depends(viewer)]
Analyst = Annotated[Principal, Depends(analyst)]
