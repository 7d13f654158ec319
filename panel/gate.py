"""The gate before the panel: nothing behind it is served to a caller without a session.

A pure ASGI middleware, because a websocket must pass it too. What an anonymous caller gets depends on what
was asked for: a page is redirected to the sign-in page, anything else is refused with 401, a websocket
handshake with 403.
"""

import base64
import hashlib
import re
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import quote

import streamlit
from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callboard.control.auth.sessions import COOKIE

#: Served to anybody: the sign-in page, the ways to a provider and back, what it is made of, the health check.
PUBLIC = frozenset(
    {
        "/login",
        "/login/oidc",
        "/login/oidc/callback",
        "/login/oidc/out",
        "/healthz",
        "/app/static/icon.svg",
    }
)
PUBLIC_UNDER = "/app/static/fonts/"

#: Streamlit's own endpoints that an operator's browser never needs.
CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")

#: How long (s) an accepted token is taken for valid without asking again; a page is made of sixty requests.
REMEMBER_S = 2.0


def inline_scripts() -> str:
    """Streamlit's page has a script of its own in it: its hashes, as sources of a content security policy."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


POLICY = {
    "default-src": "'self'",
    # Vega compiles its expressions, and the tables' canvas comes as WebAssembly.
    "script-src": f"'self' 'unsafe-eval' 'wasm-unsafe-eval' {inline_scripts()}",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' ws: wss:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "content-security-policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Gate:
    """Let requests with a valid session pass.

    `known(token)` says whether a token belongs to a session that is still good; it may block.
    """

    def __init__(self, app: ASGIApp, known: Callable[[str], bool]) -> None:
        self.app = app
        self.known = known
        self.seen: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        send = with_headers(send)
        path = scope["path"]
        if path.startswith(CLOSED):
            await self.refuse(scope, send, 404)
        elif scope["type"] == "websocket" and not same_origin(scope):
            await self.refuse(scope, send, 403)
        elif is_public(scope) or await self.allowed(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and wants_page(scope):
            await redirect(send, f"/login?next={quote(asked_for(scope), safe='')}")
        else:
            await self.refuse(scope, send, 401)

    async def allowed(self, scope: Scope) -> bool:
        token = session_token(scope)
        if token is None:
            return False
        now = time.monotonic()
        if now - self.seen.get(token, -REMEMBER_S) < REMEMBER_S:
            return True
        if not await to_thread.run_sync(self.known, token):
            self.seen.pop(token, None)
            return False
        if len(self.seen) > 1000:
            self.seen.clear()
        self.seen[token] = now
        return True

    def forget(self, token: str) -> None:
        """Ask again at the next request with this token."""
        self.seen.pop(token, None)

    async def refuse(self, scope: Scope, send: Send, status: int) -> None:
        if scope["type"] == "websocket":
            # A close before the handshake is accepted becomes an HTTP 403.
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        body = b"Not found.\n" if status == 404 else b"Sign in first.\n"
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": body})


def same_origin(scope: Scope) -> bool:
    """Whether a websocket is opened by a page of this site; a caller that is no browser names no origin."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    return origin is None or origin.partition(b"://")[2] == headers.get(b"host")


def is_public(scope: Scope) -> bool:
    path = scope["path"]
    return scope["type"] == "http" and (path in PUBLIC or path.startswith(PUBLIC_UNDER))


def session_token(scope: Scope) -> str | None:
    """The session token in the request's cookies, or None."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                cookie = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                continue
            if cookie is not None and cookie.value:
                return cookie.value
    return None


def wants_page(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def asked_for(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return str(scope["path"]) + (f"?{query}" if query else "")


async def redirect(send: Send, location: str) -> None:
    headers = [(b"location", location.encode("latin-1")), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def with_headers(send: Send) -> Send:
    """Add the security headers to every response."""

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [
                pair
                for pair in message.get("headers", [])
                if pair[0].decode("latin-1").lower() not in HEADERS
            ]
            headers += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": headers}
        await send(message)

    return sender
