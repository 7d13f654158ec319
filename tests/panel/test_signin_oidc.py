"""Signing in with a provider: over HTTP, with a real provider, real users and sessions."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import psycopg
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from callboard.control.auth import Principal, Role, add_user, local_principal, session_principal
from callboard.control.auth.sessions import COOKIE
from callboard.control.auth.users import set_password, set_role, set_user_enabled
from callboard.core.errors import BadSettings, Conflict
from callboard.core.settings import Settings
from callboard.panel import home
from callboard.panel.gate import Gate
from callboard.panel.serve import doors
from helpers.oidc_provider import CLIENT, SECRET, Key, OidcProvider, oidc_provider

PANEL = "http://panel.test"
Change = Callable[[OidcProvider], None]


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as made:
        yield made


@pytest.fixture
def configured(panel_settings: Settings, provider: OidcProvider) -> Settings:
    return panel_settings.model_copy(
        update={
            "callboard_oidc_issuer": provider.issuer,
            "callboard_oidc_client_id": CLIENT,
            "callboard_oidc_client_secret": SecretStr(SECRET),
            "callboard_oidc_roles": "ops=operator, boss=admin",
            "callboard_oidc_label": "Backstage <ID>",
        }
    )


@pytest.fixture
def browser(configured: Settings, database: psycopg.Connection) -> Iterator[TestClient]:
    home.settle(configured)
    inside = Route("/jobs", lambda _: PlainTextResponse("inside"))
    door = home.Entrance()
    app = Gate(Starlette(routes=[*doors(configured, door), inside]), door.known)
    with TestClient(app, base_url=PANEL, follow_redirects=False, client=("10.1.1.1", 5)) as made:
        yield made
    database.execute("DELETE FROM callboard.users WHERE issuer IS NOT NULL OR name = 'mara'")
    database.execute("DELETE FROM callboard.audit WHERE action IN ('log_in', 'add_user', 'set_role')")


def go(browser: TestClient, onward: str = "/jobs") -> str:
    """Go to the provider, sign in there, and return where that sends the browser."""
    begun = browser.get("/login/oidc", params={"next": onward})
    assert begun.status_code == 303, begun.text
    answer = httpx.get(begun.headers["location"], follow_redirects=False)
    back: str = answer.headers["location"]
    assert back.startswith(f"{PANEL}/login/oidc/callback?")
    return back


def principal(browser: TestClient) -> Principal | None:
    return session_principal(home.context(), browser.cookies.get(COOKIE))


def test_whom_the_provider_vouches_for_is_let_in_with_their_role_and_sent_on(
    browser: TestClient, provider: OidcProvider, database: psycopg.Connection
) -> None:
    page = browser.get("/login?next=/jobs").text
    assert 'href="/login/oidc?next=%2Fjobs"' in page
    assert "Sign in with Backstage &lt;ID&gt;" in page

    entered = browser.get(go(browser))

    assert (entered.status_code, entered.headers["location"]) == (303, "/jobs")
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert browser.get("/jobs").text == "inside"
    who = principal(browser)
    assert who is not None
    assert (who.name, who.role) == ("mara", Role.OPERATOR)
    trail = database.execute(
        "SELECT action, who, role, outcome FROM callboard.audit WHERE who = 'mara' ORDER BY id"
    ).fetchall()
    assert trail == [("add_user", "mara", "operator", "done"), ("log_in", "mara", "operator", "done")]

    # At the next sign-in they are the same, with the role that they have then
    provider.claims = {"groups": ["ops", "boss"], "preferred_username": "renamed"}
    browser.get(go(browser))
    again = principal(browser)
    assert again is not None
    assert (again.name, again.role, again.user_id) == ("mara", Role.ADMIN, who.user_id)
    # and what the provider published was read once
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    assert provider.asked.count("/keys") == 1


def expired(provider: OidcProvider) -> None:
    provider.claims = {"exp": int(time.time()) - 3_600, "iat": int(time.time()) - 7_200}


def forged(provider: OidcProvider) -> None:
    other = Key("one")
    provider.sign = lambda claims: jwt.encode(
        claims, other.private, algorithm="RS256", headers={"kid": "one"}
    )


def unpublished(provider: OidcProvider) -> None:
    provider.key = Key("two")


def unsigned(provider: OidcProvider) -> None:
    provider.sign = lambda claims: jwt.encode(claims, None, algorithm="none")


def by_the_clients_secret(provider: OidcProvider) -> None:
    provider.sign = lambda claims: jwt.encode(claims, SECRET.ljust(32, "."), algorithm="HS256")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda p: p.claims.update(nonce="another"), "its nonce differs", id="nonce"),
        pytest.param(lambda p: p.missing.add("nonce"), "its nonce differs", id="no nonce"),
        pytest.param(expired, "not to be trusted", id="expired"),
        pytest.param(lambda p: p.missing.add("exp"), "not to be trusted", id="for ever"),
        pytest.param(lambda p: p.claims.update(aud="another"), "not to be trusted", id="audience"),
        pytest.param(
            lambda p: p.claims.update(aud=[CLIENT, "another"]), "for another client", id="shared audience"
        ),
        pytest.param(lambda p: p.claims.update(azp="another"), "for another client", id="authorised party"),
        pytest.param(lambda p: p.claims.update(iss="https://evil.example"), "not to be trusted", id="issuer"),
        pytest.param(forged, "not to be trusted", id="forged"),
        pytest.param(unpublished, "a key that it does not publish", id="unpublished key"),
        pytest.param(unsigned, "signed with none", id="unsigned"),
        pytest.param(by_the_clients_secret, "signed with HS256", id="shared secret"),
        pytest.param(lambda p: p.claims.update(groups=["crew"]), "gives a role", id="role"),
        pytest.param(lambda p: p.missing.add("groups"), "gives a role", id="no role"),
        pytest.param(lambda p: p.claims.update(groups={"ops": 1}), "gives a role", id="odd role"),
    ],
)
def test_what_is_not_right_lets_nobody_in(
    browser: TestClient, provider: OidcProvider, change: Change, said: str
) -> None:
    change(provider)

    answer = browser.get(go(browser))

    assert answer.status_code == 401
    assert said in answer.text
    assert "Sign in with Backstage" in answer.text
    assert COOKIE not in browser.cookies
    assert browser.get("/jobs").status_code == 401


def test_only_the_browser_that_has_begun_may_end_a_sign_in_and_only_once(browser: TestClient) -> None:
    back = go(browser)
    ticket = browser.cookies["callboard_oidc"]
    wrong = back.replace("state=", "state=x")
    assert "begun in another browser" in browser.get(wrong).text

    browser.cookies.clear()
    assert "begun in another browser" in browser.get(back).text

    browser.cookies.set("callboard_oidc", ticket[:-4] + "AAAA", domain="panel.test", path="/login/oidc")
    assert "begun in another browser" in browser.get(back).text

    browser.cookies.set("callboard_oidc", ticket, domain="panel.test", path="/login/oidc")
    assert browser.get(back).status_code == 303
    browser.cookies.set("callboard_oidc", ticket, domain="panel.test", path="/login/oidc")
    assert "invalid_grant" in browser.get(back).text


def test_what_the_provider_refuses_is_said_and_escaped(browser: TestClient, provider: OidcProvider) -> None:
    provider.error = "<b>access_denied</b>"

    answer = browser.get(go(browser))

    assert answer.status_code == 401
    assert "has refused the sign-in: &lt;b&gt;access_denied&lt;/b&gt;" in answer.text


def test_a_name_that_somebody_else_has_and_somebody_switched_off_are_refused(
    browser: TestClient, database: psycopg.Connection
) -> None:
    add_user(home.context(), local_principal(), "mara", Role.VIEWER, "stage-left-42")
    assert "another user named mara" in browser.get(go(browser)).text
    database.execute("DELETE FROM callboard.users WHERE name = 'mara'")

    assert browser.get(go(browser)).status_code == 303
    set_user_enabled(home.context(), local_principal(), "mara", enabled=False)
    assert principal(browser) is None
    assert "mara is switched off" in browser.get(go(browser)).text


def test_password_and_role_of_somebody_with_a_provider_are_not_kept_here(browser: TestClient) -> None:
    browser.get(go(browser))

    with pytest.raises(Conflict, match="signs in with http"):
        set_password(home.context(), local_principal(), "mara", "stage-left-42")
    with pytest.raises(Conflict, match="CALLBOARD_OIDC_ROLES"):
        set_role(home.context(), local_principal(), "mara", Role.ADMIN)
    form = {"name": "mara", "password": "", "next": "/"}
    assert browser.post("/login", data=form).status_code == 401


def test_keys_that_have_changed_are_read_again(
    browser: TestClient, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callboard.control.auth.oidc.AGAIN_S", -1.0)
    browser.get(go(browser))
    provider.key = Key("two")
    provider.published = [provider.key]

    assert browser.get(go(browser)).status_code == 303


def test_signing_out_ends_the_session_here_and_leads_out_of_the_providers(browser: TestClient) -> None:
    browser.get(go(browser))
    token = browser.cookies[COOKIE]

    left = browser.post("/logout", headers={"sec-fetch-site": "same-origin"})

    assert session_principal(home.context(), token) is None
    assert 'href="/login/oidc/out"' in browser.get(left.headers["location"]).text
    out = urlsplit(browser.get("/login/oidc/out").headers["location"])
    assert out.path == "/bye"
    assert parse_qs(out.query) == {
        "client_id": [CLIENT],
        "post_logout_redirect_uri": [f"{PANEL}/login?out"],
    }


def test_a_provider_that_is_away_leaves_the_password(configured: Settings, tokens: Any) -> None:
    away = configured.model_copy(
        update={
            "callboard_oidc_issuer": "http://127.0.0.1:9",
            "callboard_panel_url": "https://panel.example.org",
        }
    )
    home.settle(away)
    with TestClient(
        Starlette(routes=doors(away, home.Entrance())), base_url=PANEL, follow_redirects=False
    ) as client:
        answer = client.get("/login/oidc")
        assert answer.status_code == 503
        assert "does not answer (ConnectError); sign in with a password, or later." in answer.text
        form = {"name": "vera", "password": "stage-left-42", "next": "/"}
        assert client.post("/login", data=form).status_code == 303


def test_a_provider_that_lacks_a_setting_is_refused_at_the_start(configured: Settings) -> None:
    with pytest.raises(BadSettings, match="CALLBOARD_OIDC_CLIENT_SECRET is not"):
        doors(configured.model_copy(update={"callboard_oidc_client_secret": None}), home.Entrance())
