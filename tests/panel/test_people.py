"""The pages for admins: users, tokens, the audit trail."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role, bearer_principal, log_in
from callboard.core.errors import CallboardError
from callboard.panel import access, administration, home

Look = Callable[..., AppTest]
PAGES = ("users", "tokens", "audit")


@pytest.fixture
def guest(database: psycopg.Connection) -> Iterator[str]:
    """A user and tokens that a test may make; they are gone afterwards."""
    yield "gus"
    database.execute("DELETE FROM callboard.users WHERE name = 'gus'")
    database.execute("DELETE FROM callboard.tokens WHERE name = 'gus'")


@pytest.mark.parametrize(
    ("role", "offered"), [(Role.VIEWER, set()), (Role.OPERATOR, set()), (Role.ADMIN, set(PAGES))]
)
def test_only_admins_are_offered_the_pages(look: Look, role: Role, offered: set[str]) -> None:
    look(None, role)

    viewer = access.require()
    assert {view for view, _, _ in administration.offered(viewer)} == offered


@pytest.mark.parametrize("page", PAGES)
def test_an_admin_sees_each_page_without_an_error(look: Look, page: str) -> None:
    at = look(f"views/{page}.py")

    assert not at.exception
    assert [title.value for title in at.title] == [page.capitalize()]


def test_a_user_is_added_changed_and_switched_off(look: Look, guest: str) -> None:
    at = look("views/users.py")
    at.button(key="user_add").click().run()
    at.text_input(key="new_user_name").set_value(guest)
    at.selectbox(key="new_user_role").set_value("operator")
    at.text_input(key="new_user_password").set_value("a long password")
    at.session_state["user_new"] = True
    at.button(key="new_user_confirm").click().run()
    assert not at.exception
    assert log_in(home.context(), guest, "a long password", address=None).principal.role == "operator"

    at = look("views/users.py")
    at.session_state["user_asked"] = guest
    at.run()
    at.session_state["user_asked"] = guest
    at.button(key="user_switch").click().run()
    with pytest.raises(CallboardError):
        log_in(home.context(), guest, "a long password", address=None)


def test_a_token_is_shown_once(look: Look, guest: str) -> None:
    at = look("views/tokens.py")
    at.button(key="token_add").click().run()
    at.text_input(key="new_token_name").set_value(guest)
    at.selectbox(key="new_token_role").set_value("operator")
    at.multiselect(key="new_token_permissions").select("jobs:run")
    at.session_state["token_new"] = True
    at.button(key="new_token_confirm").click().run()
    (shown,) = [code.value for code in at.code]

    principal = bearer_principal(home.context(), shown)
    assert principal.may("jobs:run", "health-check")
    assert not principal.may("jobs:view")

    at = look("views/tokens.py")
    assert not at.code
    at.session_state["token_asked"] = guest
    at.run()
    at.session_state["token_asked"] = guest
    at.button(key="token_revoke_confirm").click().run()
    with pytest.raises(CallboardError):
        bearer_principal(home.context(), shown)


def test_the_trail_is_searched(look: Look, database: psycopg.Connection) -> None:
    database.execute(
        "INSERT INTO callboard.audit (who, origin, action, target, reason, outcome)"
        " VALUES ('mallory', 'api', 'run_job', 'the safe', 'no', 'refused')"
    )
    at = look("views/audit.py", target="the safe")

    (rows,) = [frame.value for frame in at.dataframe]
    assert list(rows["who"]) == ["mallory"]
    database.execute("DELETE FROM callboard.audit WHERE who = 'mallory'")


def test_a_page_of_the_trail_has_an_address(look: Look) -> None:
    at = look("views/audit.py", cursor="1")
    assert "audit_latest" in {button.key for button in at.button}

    wrong = look("views/audit.py", cursor="x")
    assert not wrong.exception
    assert any("There is no page" in text.value for text in wrong.text)
