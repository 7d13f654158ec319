"""What routes ask for: the context, and who is calling."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from callboard.api.waiting import Waiting
from callboard.control.auth import Principal, bearer_principal
from callboard.control.auth.query_tokens import QUERY_TOKEN, query_principal
from callboard.control.context import Context

bearer = HTTPBearer(
    auto_error=False,
    description="`CALLBOARD_API_TOKEN`, `CRON_SECRET`, the token that the first start has printed, or one"
    " that was made with `callboard tokens add` or `POST /api/tokens`.",
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
    address = request.client.host if request.client is not None else None
    if QUERY_TOKEN in request.query_params:
        principal = query_principal(
            context, request.query_params[QUERY_TOKEN], request.url.path, address=address
        )
    else:
        token = credentials.credentials if credentials is not None else None
        principal = bearer_principal(context, token, address=address)
    request.state.principal = principal.name
    return principal


def viewer(request: Request, principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
    """A caller who may see jobs: the one that the address names, or else all of them."""
    principal.require("jobs:view", request.path_params.get("job"))
    return principal


def analyst(request: Request, principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
    """A caller who may see everything about jobs: the one that the address names, or else all of them."""
    principal.require("analytics:view_all", request.path_params.get("job"))
    return principal


CurrentContext = Annotated[Context, Depends(get_context)]
CurrentWaiting = Annotated[Waiting, Depends(get_waiting)]
Caller = Annotated[Principal, Depends(get_principal)]
Viewer = Annotated[Principal, Depends(viewer)]
Analyst = Annotated[Principal, Depends(analyst)]
