"""`callboard users`, `callboard tokens` and `callboard audit`."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from callboard.control.auth import bearer_principal, log_in
from callboard.control.context import Context
from callboard.core.errors import NotAuthenticated
from callboard.core.settings import Settings
from helpers.declarations import audit

Typed = Callable[[str], None]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """What comes on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_user_is_added_and_may_sign_in_until_switched_off(
    run: Any, installed: Engine, settings: Settings, typed: Typed
) -> None:
    typed("a long password\n")
    assert run("users", "add", "ada", "--role", "admin").code == 0
    typed("a long password\n")
    assert (
        run("users", "add", "otto", "--role", "operator").out == "otto may sign in, with the role operator.\n"
    )
    with Context(settings) as context:
        assert log_in(context, "otto", "a long password", address=None).principal.role == "operator"
        assert run("users", "sign-out", "otto").out == "otto is signed out; 1 session ended.\n"
        assert run("users", "disable", "otto").code == 0
        with pytest.raises(NotAuthenticated):
            log_in(context, "otto", "a long password", address=None)
        assert run("users", "enable", "otto").code == 0
        typed("another password\n")
        assert run("users", "password", "otto").code == 0
        assert log_in(context, "otto", "another password", address=None).principal.name == "otto"

    rows = {line.split()[0]: line for line in run("users", "list").out.splitlines() if line.strip()}
    assert "operator" in rows["otto"]
    assert {each["name"] for each in json.loads(run("users", "list", "--json").out)} == {"ada", "otto"}


def test_the_last_admin_stays(run: Any, installed: Engine, typed: Typed) -> None:
    typed("a long password\n")
    run("users", "add", "ada", "--role", "admin")

    for command in (("disable", "ada"), ("role", "ada", "viewer")):
        done = run("users", *command)
        assert done.code == 1
        assert done.err == "This is the last admin who may log in; make another one first.\n"


def test_a_token_is_printed_alone_and_works_until_it_is_revoked(
    run: Any, installed: Engine, settings: Settings
) -> None:
    limits = ("--allow", "jobs:run", "--allow", "jobs:view", "--job", "health-check", "--days", "30")
    token = run("tokens", "add", "ci", *limits).out.strip()

    with Context(settings) as context:
        principal = bearer_principal(context, token)
        assert principal.may("jobs:run", "health-check")
        assert not principal.may("jobs:run", "greet")
        listed = run("tokens", "list")
        assert token not in listed.out
        assert "jobs:run, jobs:view" in listed.out
        assert run("tokens", "revoke", "ci").code == 0
        with pytest.raises(NotAuthenticated):
            bearer_principal(context, token)
    assert "revoked" in run("tokens", "list").out
    assert [row["action"] for row in audit(installed)] == ["add_token", "revoke_token"]


def test_the_trail_is_shown_with_what_changed_and_goes_on_where_a_page_ends(
    run: Any, installed: Engine
) -> None:
    run("jobs", "disable", "greet")
    run("jobs", "enable", "greet")

    shown = run("audit", "--limit", "1")
    assert "enable_job" in shown.out
    assert '"enabled":false' in shown.out
    cursor = shown.err.split("--cursor ")[1].strip()
    assert "disable_job" in run("audit", "--limit", "1", "--cursor", cursor).out
    page = json.loads(run("audit", "--action", "disable_job", "--json").out)
    assert [each["target"] for each in page["entries"]] == ["greet"]


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("users", "role", "nobody", "admin"), 1, "There is no user named 'nobody'."),
        (("users", "role", "nobody", "king"), 2, "the roles are viewer, operator, admin"),
        (("tokens", "revoke", "none"), 1, "no valid token named 'none'"),
        (("tokens", "add", "ci", "--allow", "jobs:fly"), 2, "the permissions are"),
        (("tokens", "add", "ci", "--days", "0"), 2, "more than 0 seconds"),
        (("audit", "--cursor", "x"), 2, "There is no page 'x'"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    run: Any, installed: Engine, command: tuple[str, ...], code: int, said: str
) -> None:
    done = run(*command)

    assert done.code == code
    assert said in done.err
    assert done.err.count("\n") == 1
