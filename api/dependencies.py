"""What routes ask for: the context, and who is calling."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from callboard.api.waiting import Waiting
from callboard.control.auth import Principal, bearer_principal
from callboard.control.auth.query_tokens import QUERY_TOKEN, query_principal
from callboard.control.auth.sessions import COOKIE, session_principal
from callboard.control.context import Context
from callboard.core.errors import NotAuthenticated

bearer = HTTPBearer(
    auto_error=False,
    description="`CALLBOARD_API_TOKEN`, `CRON_SECRET`, the token that the first start has printed, or one"
    " that was made with `callboard tokens add` or `POST /api/tokens`.",
)

cookie = APIKeyCookie(
    name=COOKIE, auto_error=False, description="The session of somebody who is signed in to the panel."
)
runner_secret = APIKeyHeader(
    name="x-job-runner-secret", auto_error=False, description="`JOB_QUEUE_RUNNER_SECRET`, or any token."
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


def get_signed_in(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    session: Annotated[str | None, Security(cookie)],
    context: Annotated[Context, Depends(get_context)],
) -> Principal:
    """Whose bearer token came with the request, or else whose session of the panel.

    Of a session nothing is taken that another site's page has had a browser send.
    """
    if credentials is not None or session is None:
        return get_principal(request, credentials, context)
    if not _from_here(request):
        raise NotAuthenticated("A session is not taken from another site's page; send a token instead.")
    address = request.client.host if request.client is not None else None
    principal = session_principal(context, session, address=address, origin="api")
    if principal is None:
        raise NotAuthenticated("The session has ended; sign in to the panel again, or send a token.")
    request.state.principal = principal.name
    return principal


def get_runner(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    secret: Annotated[str | None, Security(runner_secret)],
    context: Annotated[Context, Depends(get_context)],
) -> Principal:
    """Whose secret came in the header `x-job-runner-secret`, or else as a bearer token."""
    if secret is not None:
        credentials = HTTPAuthorizationCredentials(scheme="Bearer", credentials=secret)
    return get_principal(request, credentials, context)


def _from_here(request: Request) -> bool:
    """Whether no page of another site has sent the request. Programs that are no browsers say nothing."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


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
SignedIn = Annotated[Principal, Depends(get_signed_in)]
Runner = Annotated[Principal, Depends(get_runner)]
Viewer = Annotated[Principal, Depends(viewer)]
Analyst = Annotated[Principal, Depends(analyst)]
