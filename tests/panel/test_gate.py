"""What an anonymous caller gets: a page leads to the sign-in page, all else is refused."""

from typing import Any

import anyio
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from callboard.control.auth.sessions import COOKIE
from callboard.panel.gate import PUBLIC, Gate

GOOD = "good-token"
HTML = (b"accept", b"text/html,application/xhtml+xml")


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that lets everybody in."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await PlainTextResponse("inside")(scope, receive, send)


@pytest.fixture
def asked() -> list[str]:
    """The tokens that were asked about."""
    return []


def call(
    path: str,
    *headers: tuple[bytes, bytes],
    asked: list[str],
    kind: str = "http",
    method: str = "GET",
    query: bytes = b"",
    gate: Gate | None = None,
) -> list[Message]:
    sent: list[Message] = []

    def known(token: str) -> bool:
        asked.append(token)
        return token == GOOD

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": kind, "path": path, "query_string": query, "headers": list(headers)}
    if kind == "http":
        scope["method"] = method
    anyio.run(gate or Gate(behind, known), scope, receive, send)
    return sent


def cookie(token: str) -> tuple[bytes, bytes]:
    return (b"cookie", f"theme=dark; {COOKIE}={token}".encode())


def header(sent: list[Message], name: bytes) -> bytes | None:
    return dict(sent[0]["headers"]).get(name)


def test_an_anonymous_page_is_redirected_to_the_sign_in_page_and_back_afterwards(asked: list[str]) -> None:
    sent = call("/job", HTML, query=b"job=health-check&window=7 days", asked=asked)

    assert sent[0]["status"] == 303
    assert header(sent, b"location") == b"/login?next=%2Fjob%3Fjob%3Dhealth-check%26window%3D7%20days"


@pytest.mark.parametrize(
    "path", ["/static/js/index.js", "/_stcore/health", "/_stcore/host-config", "/media/x"]
)
def test_an_anonymous_asset_is_refused(path: str, asked: list[str]) -> None:
    assert call(path, asked=asked)[0]["status"] == 401


def test_an_anonymous_form_is_refused_even_if_it_would_like_a_page(asked: list[str]) -> None:
    assert call("/logout", HTML, method="POST", asked=asked)[0]["status"] == 401


def test_an_anonymous_websocket_is_closed_before_it_is_open(asked: list[str]) -> None:
    sent = call("/_stcore/stream", kind="websocket", asked=asked)

    # Sent before an accept, this is answered to the browser as 403.
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_websocket_that_another_sites_page_opens_is_refused_even_with_a_session(asked: list[str]) -> None:
    here = (b"host", b"panel.test:8501")
    for origin, answer in (
        (b"https://evil.example", "websocket.close"),
        (b"http://panel.test:8501", "websocket.accept"),
    ):
        headers = (cookie(GOOD), here, (b"origin", origin))
        sent = call("/_stcore/stream", *headers, kind="websocket", asked=asked)
        assert sent[0]["type"] == answer


@pytest.mark.parametrize("token", ["", "forged", f"{GOOD}x"])
def test_a_token_that_is_not_known_opens_nothing(token: str, asked: list[str]) -> None:
    assert call("/", HTML, cookie(token), asked=asked)[0]["status"] == 303
    sent = call("/_stcore/stream", cookie(token), kind="websocket", asked=asked)
    assert sent[0]["type"] == "websocket.close"


def test_a_good_session_passes_pages_assets_and_websockets(asked: list[str]) -> None:
    assert call("/", HTML, cookie(GOOD), asked=asked)[0]["status"] == 200
    assert call("/static/x.js", cookie(GOOD), asked=asked)[0]["status"] == 200
    sent = call("/_stcore/stream", cookie(GOOD), kind="websocket", asked=asked)
    assert sent[0]["type"] == "websocket.accept"


@pytest.mark.parametrize("path", [*sorted(PUBLIC), "/app/static/fonts/inter-latin-wght-normal.woff2"])
def test_what_the_sign_in_page_is_made_of_is_public(path: str, asked: list[str]) -> None:
    assert call(path, asked=asked)[0]["status"] == 200
    assert asked == []


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/mcp", "/_stcore/script-health-check"])
def test_what_nobody_needs_is_closed_to_everybody(path: str, asked: list[str]) -> None:
    assert call(path, cookie(GOOD), asked=asked)[0]["status"] == 404


def test_a_burst_of_requests_asks_about_a_token_once(asked: list[str]) -> None:
    def known(token: str) -> bool:
        asked.append(token)
        return True

    gate = Gate(behind, known)
    for _ in range(20):
        call("/static/x.js", cookie(GOOD), asked=[], gate=gate)

    assert asked == [GOOD]


def test_every_answer_has_the_security_headers_whether_let_in_or_not(asked: list[str]) -> None:
    for sent in (
        call("/", HTML, asked=asked),
        call("/", cookie(GOOD), asked=asked),
        call("/login", asked=asked),
    ):
        policy = header(sent, b"content-security-policy") or b""
        assert b"default-src 'self'" in policy
        assert b"frame-ancestors 'none'" in policy
        assert b"script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval' 'sha256-" in policy
        assert header(sent, b"x-content-type-options") == b"nosniff"


def test_a_cookie_that_makes_no_sense_is_no_session(asked: list[str]) -> None:
    broken = (b"cookie", b'\xff;=;"' + COOKIE.encode() + b"=")

    assert call("/", HTML, broken, asked=asked)[0]["status"] == 303
