"""Signing in and out, over HTTP, with real users and sessions."""

from collections.abc import Iterator

import psycopg
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from callboard.control.auth import Role
from callboard.control.auth.sessions import COOKIE
from callboard.panel.gate import Gate
from callboard.panel.home import Entrance
from callboard.panel.signin import routes, safe_next

PASSWORD = "stage-left-42"


@pytest.fixture
def client(tokens: dict[Role, str]) -> Iterator[TestClient]:
    door = Entrance()
    app = Gate(Starlette(routes=routes(door)), door.known)
    with TestClient(
        app, base_url="http://panel.test", follow_redirects=False, client=("10.1.1.1", 5)
    ) as made:
        yield made


@pytest.fixture(autouse=True)
def forgotten(database: psycopg.Connection) -> Iterator[None]:
    """No test inherits the failed logins of another."""
    yield
    database.execute("DELETE FROM callboard.audit WHERE action = 'log_in'")


def enter(client: TestClient, password: str = PASSWORD, onward: str = "/", **headers: str) -> int:
    form = {"name": "vera", "password": password, "next": onward}
    response = client.post("/login", data=form, headers=headers)
    client.headers["x-last"] = response.headers.get("location", "")
    return response.status_code


def test_the_right_password_opens_a_session_in_a_cookie_that_no_script_reads(client: TestClient) -> None:
    response = client.post("/login", data={"name": "vera", "password": PASSWORD, "next": "/jobs?q=mail"})

    assert response.status_code == 303
    assert response.headers["location"] == "/jobs?q=mail"
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=callboard_")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


def test_behind_tls_the_cookie_is_secure(tokens: dict[Role, str]) -> None:
    with TestClient(
        Starlette(routes=routes(Entrance())), base_url="https://panel.test", follow_redirects=False
    ) as client:
        response = client.post("/login", data={"name": "vera", "password": PASSWORD})

    assert "Secure" in response.headers["set-cookie"]


def test_a_wrong_password_and_a_wrong_name_are_told_the_same(client: TestClient) -> None:
    answers = [
        client.post("/login", data={"name": name, "password": "wrong-wrong", "next": "/jobs"})
        for name in ("vera", "nobody")
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("The name or the password is wrong." in answer.text for answer in answers)
    assert all("set-cookie" not in answer.headers for answer in answers)
    assert 'value="/jobs"' in answers[0].text


def test_too_many_failures_are_throttled_even_with_the_right_password(client: TestClient) -> None:
    for _ in range(5):
        assert enter(client, "wrong-wrong") == 401

    assert enter(client) == 429


def test_what_was_typed_comes_back_escaped(client: TestClient) -> None:
    name = '"><script>alert(1)</script>'

    page = client.post("/login", data={"name": name, "password": "x", "next": name}).text

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/login",
        "/\r\nx: y",
    ],
)
def test_the_way_onward_stays_on_this_site(path: str, client: TestClient) -> None:
    assert safe_next(path) == "/"
    response = client.post("/login", data={"name": "vera", "password": PASSWORD, "next": path})
    assert response.headers["location"] == "/"


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_a_form_of_another_site_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    assert enter(client, **headers) == 403


def test_signing_out_ends_the_session_for_good(client: TestClient) -> None:
    assert enter(client) == 303
    token = client.cookies[COOKIE]

    response = client.post("/logout", headers={"sec-fetch-site": "same-origin"})

    assert response.headers["location"] == "/login?out"
    assert COOKIE not in client.cookies
    assert not Entrance().known(token)
    assert "You are signed out." in client.get("/login?out").text


def test_whoever_is_signed_in_is_sent_on_from_the_sign_in_page(client: TestClient) -> None:
    enter(client)

    response = client.get("/login?next=/jobs")

    assert (response.status_code, response.headers["location"]) == (303, "/jobs")


def test_an_overlong_name_is_refused_without_a_look(client: TestClient) -> None:
    assert client.post("/login", data={"name": "v" * 5_000, "password": "x"}).status_code == 401


def test_the_health_check_needs_no_session(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok\n"
