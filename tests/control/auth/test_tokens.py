import hashlib

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from callboard.control.auth import Role, add_token, bearer_principal, revoke_token, tokens
from callboard.control.context import Context
from callboard.core.errors import BadInput, Conflict, NotAllowed, NotAuthenticated, NotFound
from callboard.core.settings import load_settings
from helpers.declarations import audit


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
