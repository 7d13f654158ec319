import threading

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from callboard.control.auth import Role, bearer_principal, log_in, session_principal
from callboard.control.first_start import ensure_first_credentials
from callboard.core.errors import BadInput, NotAuthenticated
from helpers.declarations import audit


def given(settings, **secrets):
    return settings.model_copy(update={name: SecretStr(value) for name, value in secrets.items()})


def test_the_first_start_makes_a_password_and_a_token_that_work(context, engine, settings):
    made = ensure_first_credentials(engine, settings)

    assert log_in(context, "admin", made.admin_password, address=None).principal.role is Role.ADMIN
    assert bearer_principal(context, made.api_token).role is Role.ADMIN
    assert len(made.admin_password) == 20
    assert len(made.api_token) > 40


def test_they_are_told_once(engine, settings):
    ensure_first_credentials(engine, settings)

    again = ensure_first_credentials(engine, settings)

    assert (again.admin_password, again.api_token) == (None, None)


def test_a_revoked_first_token_is_not_made_again(engine, settings):
    ensure_first_credentials(engine, settings)
    with engine.begin() as connection:
        connection.execute(text("UPDATE callboard.tokens SET revoked_at = now()"))

    assert ensure_first_credentials(engine, settings).api_token is None


def test_those_of_the_settings_are_used_and_not_told(context, engine, settings):
    chosen = given(settings, callboard_admin_password="chosen by me", callboard_api_token="my-token")

    made = ensure_first_credentials(engine, chosen)

    assert (made.admin_password, made.api_token) == (None, None)
    assert log_in(context, "admin", "chosen by me", address=None).token
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM callboard.tokens")).scalar_one() == 0


def test_a_password_set_later_replaces_the_one_before_and_ends_its_sessions(context, engine, settings):
    first = ensure_first_credentials(engine, settings).admin_password
    session = log_in(context, "admin", first, address=None)

    ensure_first_credentials(engine, given(settings, callboard_admin_password="chosen by me"))

    assert session_principal(context, session.token) is None
    with pytest.raises(NotAuthenticated):
        log_in(context, "admin", first, address=None)
    kept = log_in(context, "admin", "chosen by me", address=None)
    ensure_first_credentials(engine, given(settings, callboard_admin_password="chosen by me"))
    assert session_principal(context, kept.token) is not None


def test_a_chosen_password_that_is_too_short_is_refused(engine, settings):
    with pytest.raises(BadInput, match="from 8 to 1024"):
        ensure_first_credentials(engine, given(settings, callboard_admin_password="short"))


def test_several_first_starts_at_once_make_one_of_each(engine, settings):
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(ensure_first_credentials(engine, settings)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(each.admin_password is not None for each in made) == 1
    assert sum(each.api_token is not None for each in made) == 1


def test_neither_is_written_anywhere_in_clear(engine, settings):
    made = ensure_first_credentials(engine, settings)

    with engine.connect() as connection:
        everything = str(connection.execute(text("SELECT u::text FROM callboard.users u")).scalars().all())
        everything += str(connection.execute(text("SELECT t::text FROM callboard.tokens t")).scalars().all())
    everything += str(audit(engine))
    assert made.admin_password not in everything
    assert made.api_token not in everything
