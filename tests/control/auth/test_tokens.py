import hashlib

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from callboard.control.auth import Role, add_token, bearer_principal, revoke_token, tokens
from callboard.control.auth.query_tokens import query_principal
from callboard.control.context import Context
from callboard.core.errors import BadInput, Conflict, NotAllowed, NotAuthenticated, NotFound
from callboard.core.settings import load_settings
from helpers.declarations import audit, declare, job


def test_a_token_speaks_with_its_role(context, admin):
    token = add_token(context, admin, "ci", Role.OPERATOR)

    principal = bearer_principal(context, token, address="10.0.0.3")

    assert (principal.name, principal.role, principal.origin) == ("token:ci", Role.OPERATOR, "api")
    assert principal.address == "10.0.0.3"


def test_only_its_hash_is_stored_and_its_use_is_noted(context, engine, admin):
    token = add_token(context, admin, "ci", Role.VIEWER)
    (before,) = tokens(context, admin)
    assert before.last_used_at is None

    bearer_principal(context, token)

    (after,) = tokens(context, admin)
    assert after.last_used_at is not None
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM callboard.tokens")).mappings().one()
    assert bytes(row["token_sha256"]) == hashlib.sha256(token.encode()).digest()
    assert token not in str(dict(row))
    assert token not in str(audit(engine))


def test_a_revoked_token_is_worth_nothing_at_once(context, admin):
    token = add_token(context, admin, "ci", Role.VIEWER)

    revoke_token(context, admin, "ci")

    with pytest.raises(NotAuthenticated, match="not valid"):
        bearer_principal(context, token)
    with pytest.raises(NotFound):
        revoke_token(context, admin, "ci")


def test_an_expired_token_is_worth_nothing(context, engine, admin):
    token = add_token(context, admin, "ci", Role.VIEWER, life_s=60)
    assert bearer_principal(context, token).role is Role.VIEWER
    with engine.begin() as connection:
        connection.execute(text("UPDATE callboard.tokens SET expires_at = now() - interval '1 second'"))

    with pytest.raises(NotAuthenticated):
        bearer_principal(context, token)


def test_a_name_is_given_once_even_after_it_was_revoked(context, admin):
    add_token(context, admin, "ci", Role.VIEWER)
    with pytest.raises(Conflict, match="token named 'ci' already"):
        add_token(context, admin, "ci", Role.ADMIN)
    revoke_token(context, admin, "ci")
    with pytest.raises(Conflict):
        add_token(context, admin, "ci", Role.ADMIN)


@pytest.mark.parametrize("name", ["", " ", " ci", "x" * 101, "a\nb", "a\0b"])
def test_a_name_that_cannot_be_read_is_refused(context, admin, name):
    with pytest.raises(BadInput, match="printable"):
        add_token(context, admin, name, Role.VIEWER)


def test_only_admins_manage_tokens(context, engine, operator):
    with pytest.raises(NotAllowed):
        add_token(context, operator, "ci", Role.ADMIN)
    with pytest.raises(NotAllowed):
        revoke_token(context, operator, "ci")
    with pytest.raises(NotAllowed):
        tokens(context, operator)
    assert [row["outcome"] for row in audit(engine)] == ["refused", "refused"]


@pytest.mark.parametrize("token", [None, "", "nonsense", "\0", "\ud800", "Bearer x", "ü" * 1000])
def test_what_is_no_token_is_nobodys(context, token):
    with pytest.raises(NotAuthenticated):
        bearer_principal(context, token)


def test_the_tokens_of_the_settings_need_no_database(tmp_path):
    settings = load_settings(
        {
            "CALLBOARD_HOME": str(tmp_path),
            "CALLBOARD_API_TOKEN": "the-api-token",
            "CRON_SECRET": "the-cron-secret",
        }
    )
    with Context(settings) as context:
        admin = bearer_principal(context, "the-api-token")
        cron = bearer_principal(context, "the-cron-secret")

    assert (admin.name, admin.role) == ("CALLBOARD_API_TOKEN", Role.ADMIN)
    assert (cron.name, cron.role) == ("CRON_SECRET", Role.OPERATOR)


def test_a_secret_used_for_both_speaks_with_the_greater_role(context, settings):
    both = settings.model_copy(
        update={"callboard_api_token": SecretStr("one"), "cron_secret": SecretStr("one")}
    )

    with Context(both) as made:
        assert bearer_principal(made, "one").role is Role.ADMIN


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        ({"permissions": ["jobs:fly"]}, "no permission 'jobs:fly'"),
        ({"permissions": []}, "at least one"),
        ({"permissions": ["tokens:manage"], "role": Role.ADMIN}, "limited token cannot have"),
        ({"permissions": ["jobs:run"], "role": Role.VIEWER}, "operator does"),
        ({"jobs": []}, "at least one"),
        ({"life_s": 10**12}, "at most 36500 days"),
    ],
)
def test_limits_that_make_no_sense_are_refused(context, admin, limits, match):
    with pytest.raises(BadInput, match=match):
        add_token(context, admin, "ci", **limits)


def test_a_token_for_a_job_that_does_not_exist_is_refused_with_those_that_come_close(context, engine, admin):
    declare(engine, job("health-check"))

    with pytest.raises(NotFound, match="Did you mean health-check"):
        add_token(context, admin, "ci", jobs=["health-chek"])


def test_a_limited_token_may_what_it_lists_and_nothing_else(context, engine, admin):
    declare(engine, job("health-check"), job("greet"))
    token = add_token(context, admin, "ci", permissions=["jobs:run"], jobs=["health-check"])

    principal = bearer_principal(context, token)

    assert principal.role is Role.OPERATOR
    assert principal.may("jobs:run", "health-check")
    for permission, job_name in (("jobs:run", "greet"), ("jobs:run", None), ("jobs:view", "health-check")):
        assert not principal.may(permission, job_name)
    assert audit(engine)[-1]["after"] == {
        "role": "operator",
        "life_s": None,
        "permissions": ["jobs:run"],
        "jobs": ["health-check"],
    }


@pytest.mark.parametrize(
    ("name", "may", "may_not"),
    [
        (
            "CRON_SECRET",
            [("jobs:view", None), ("jobs:toggle", "greet")],
            [("audit:view", None), ("dead:drop", None)],
        ),
        (
            "JOB_QUEUE_RUNNER_SECRET",
            [("jobs:run", "greet")],
            [("jobs:view", "greet"), ("dead:drop", "greet")],
        ),
        (
            "JOB_RUNNER_TOKEN",
            [("jobs:run", "run-outbound-jobs")],
            [("jobs:run", "greet"), ("jobs:run", None)],
        ),
    ],
)
def test_each_static_token_may_what_its_users_need_and_no_more(tmp_path, name, may, may_not):
    settings = load_settings({"CALLBOARD_HOME": str(tmp_path), name: "the-secret"})
    with Context(settings) as context:
        principal = bearer_principal(context, "the-secret")

    assert (principal.name, principal.role) == (name, Role.OPERATOR)
    assert all(principal.may(*each) for each in may)
    assert not any(principal.may(*each) for each in [*may_not, ("users:manage", None)])


def test_a_token_in_the_address_is_taken_at_one_address_from_one_token_and_while_it_may_be(tmp_path):
    environment = {"CALLBOARD_HOME": str(tmp_path), "JOB_RUNNER_TOKEN": "runner", "CRON_SECRET": "cron"}
    with Context(load_settings(environment)) as context:
        assert query_principal(context, "runner", "/api/jobs/run-outbound").name == "JOB_RUNNER_TOKEN"
        with pytest.raises(NotAuthenticated, match="Only JOB_RUNNER_TOKEN"):
            query_principal(context, "cron", "/api/jobs/run-outbound")
        with pytest.raises(NotAuthenticated, match="not taken here"):
            query_principal(context, "runner", "/api/cron/jobs")
    with (
        Context(load_settings(environment | {"CALLBOARD_QUERY_TOKEN": "false"})) as context,
        pytest.raises(NotAuthenticated, match="not taken here"),
    ):
        query_principal(context, "runner", "/api/jobs/run-outbound")
