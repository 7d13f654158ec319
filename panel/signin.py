"""The routes outside the panel's own pages: signing in and out, and the health check.

They are plain HTTP: a session begins with a cookie that no script can read, and Streamlit cannot set one.
"""

from functools import partial
from html import escape
from pathlib import Path
from string import Template
from typing import Protocol
from urllib.parse import quote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from callboard.control.auth.sessions import COOKIE
from callboard.core.errors import CallboardError
from callboard.panel.gate import session_token

PAGE = Template((Path(__file__).parent / "signin.html").read_text(encoding="utf-8"))

#: Longer names and passwords are nobody's, and are not looked at.
LONGEST = 1_000


class Door(Protocol):
    """What the routes ask of the system; each may block."""

    def sign_in(self, name: str, password: str, address: str) -> str:
        """The token of a new session. Raises NotAuthenticated or another CallboardError."""

    def sign_out(self, token: str) -> None:
        """End the token's session, if it has one."""

    def known(self, token: str) -> bool:
        """Whether the token's session is good."""


def routes(door: Door, provider: str | None = None) -> list[Route]:
    """The routes, over a door; `provider` is what the one is called with whom people may sign in as well."""

    page = partial(sign_in_page, provider=provider)

    async def form(request: Request) -> Response:
        onward = safe_next(request.query_params.get("next", ""))
        token = session_token(request.scope)
        if token is not None and await to_thread.run_sync(door.known, token):
            return RedirectResponse(onward, status_code=303)
        out = "out" in request.query_params
        return page(onward, notice="You are signed out." if out else "", out=out)

    async def enter(request: Request) -> Response:
        if not from_here(request):
            return page("/", alert="That form came from another site; sign in here.", status=403)
        sent = await request.form(max_files=0, max_fields=10)
        name, password, onward = (str(sent.get(field, "")) for field in ("name", "password", "next"))
        onward = safe_next(onward)
        if max(len(name), len(password)) > LONGEST:
            return page(onward, alert="The user or the password is wrong.", status=401)
        address = request.client.host if request.client else ""
        try:
            token = await to_thread.run_sync(door.sign_in, name.strip(), password, address)
        except CallboardError as error:
            return page(onward, name=name, alert=str(error), status=error.status)
        response = RedirectResponse(onward, status_code=303)
        response.set_cookie(
            COOKIE, token, path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )
        return response

    async def leave(request: Request) -> Response:
        if not from_here(request):
            return PlainTextResponse("That request came from another site.\n", status_code=403)
        token = session_token(request.scope)
        if token is not None:
            await to_thread.run_sync(door.sign_out, token)
        response = RedirectResponse("/login?out", status_code=303)
        response.delete_cookie(COOKIE, path="/")
        return response

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})

    return [
        Route("/login", form, methods=["GET"]),
        Route("/login", enter, methods=["POST"]),
        Route("/logout", leave, methods=["POST"]),
        Route("/healthz", healthz, methods=["GET"]),
    ]


def sign_in_page(
    onward: str,
    *,
    provider: str | None = None,
    name: str = "",
    notice: str = "",
    alert: str = "",
    status: int = 200,
    out: bool = False,
) -> HTMLResponse:
    """The sign-in page; everything in it that came from outside is escaped."""
    said = (
        f'<div role="alert">{escape(alert)}</div>' if alert else f'<div role="status">{escape(notice)}</div>'
    )
    body = PAGE.substitute(
        notice=said if alert or notice else "",
        next=escape(onward, quote=True),
        name=escape(name[:LONGEST], quote=True),
        focus_name="" if name else "autofocus",
        focus_password="autofocus" if name else "",
        provider=_offered(provider, onward, out=out) if provider else "",
    )
    return HTMLResponse(body, status_code=status, headers={"cache-control": "no-store"})


def _offered(label: str, onward: str, *, out: bool) -> str:
    """The way to the provider; after signing out here, the way out there as well."""
    to = escape(f"/login/oidc?next={quote(onward, safe='')}", quote=True)
    said = escape(label)
    more = f'<p class="more"><a href="/login/oidc/out">Sign out at {said} too</a></p>' if out else ""
    return f'<div class="or">or</div><a class="other" href="{to}">Sign in with {said}</a>{more}'


def safe_next(path: str) -> str:
    """A path of this site to go to after signing in; the overview for anything else."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\", "/login", "/logout"))
    return path if inside and path.isprintable() and len(path) < LONGEST else "/"


def from_here(request: Request) -> bool:
    """Whether a form was sent from this site's own page."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")
