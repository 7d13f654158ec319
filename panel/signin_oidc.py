"""The routes of signing in with a provider: to it, back from it, and out of its own session."""

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from callboard.control.auth.sessions import COOKIE
from callboard.core.errors import CallboardError
from callboard.panel.signin import LONGEST, safe_next, sign_in_page

#: The cookie that knows the browser again when it comes back, where it is sent, and for how long (s).
TICKET = "callboard_oidc"
PATH = "/login/oidc"
BACK = "/login/oidc/callback"
OUT = "/login/oidc/out"
LIFE_S = 600

#: Longer answers of a provider are none.
MOST = 10_000


class Federation(Protocol):
    """What the routes ask of the system; each may block, and raise a CallboardError."""

    def begin(self, back: str, onward: str) -> tuple[str, str]:
        """Where to send the browser, and the ticket that it is to bring back."""

    def finish(self, ticket: str, back: str, answer: Mapping[str, str], address: str) -> tuple[str, str]:
        """The token of a new session, and the path onward."""

    def way_out(self, back: str) -> str | None:
        """Where the browser ends its session with the provider, if there is such a place."""


def routes(federation: Federation, provider: str, panel_url: str) -> list[Route]:
    """The routes to the provider of that name; `panel_url` is the panel's address, or "": the request's."""

    page = partial(sign_in_page, provider=provider)

    def own(request: Request, path: str) -> str:
        base = panel_url or f"{request.url.scheme}://{request.url.netloc}"
        return f"{base}{path}"

    async def begin(request: Request) -> Response:
        onward = safe_next(request.query_params.get("next", ""))
        try:
            address, ticket = await to_thread.run_sync(federation.begin, own(request, BACK), onward)
        except CallboardError as error:
            return page(onward, alert=str(error), status=error.status)
        response = RedirectResponse(address, status_code=303, headers={"cache-control": "no-store"})
        response.set_cookie(
            TICKET,
            ticket,
            max_age=LIFE_S,
            path=PATH,
            httponly=True,
            samesite="lax",
            secure=own(request, "").startswith("https:"),
        )
        return response

    async def back(request: Request) -> Response:
        ticket = request.cookies.get(TICKET, "")
        answer = dict(request.query_params)
        if max(len(ticket), len(request.url.query)) > MOST:
            answer = {}
        address = request.client.host if request.client else ""
        try:
            token, onward = await to_thread.run_sync(
                federation.finish, ticket, own(request, BACK), answer, address
            )
        except CallboardError as error:
            response: Response = page("/", alert=str(error)[:LONGEST], status=error.status)
        else:
            response = RedirectResponse(safe_next(onward), status_code=303)
            response.set_cookie(
                COOKIE,
                token,
                path="/",
                httponly=True,
                samesite="lax",
                secure=own(request, "").startswith("https:"),
            )
        response.headers["cache-control"] = "no-store"
        response.delete_cookie(TICKET, path=PATH)
        return response

    async def leave(request: Request) -> Response:
        try:
            address = await to_thread.run_sync(federation.way_out, own(request, "/login?out"))
        except CallboardError as error:
            return page("/", alert=str(error), status=error.status)
        if address is None:
            return page("/", notice=f"{provider} has no address for that; sign out there.")
        return RedirectResponse(address, status_code=303)

    return [
        Route(PATH, begin, methods=["GET"]),
        Route(BACK, back, methods=["GET"]),
        Route(OUT, leave, methods=["GET"]),
    ]
