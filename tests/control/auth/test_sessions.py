import contextlib
import hashlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from callboard.control.auth import (
    Role,
    TooManyLogins,
    add_user,
    log_in,
    log_out,
    session_principal,
    set_password,
    set_role,
    set_user_enabled,
)
from callboard.control.context import Context
from callboard.core.errors import NotAuthenticated
from helpers.declarations import audit

PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def uma(context, admin):
    add_user(context, admin, "uma", Role.OPERATOR, PASSWORD)
    add_user(context, admin, "ada", Role.ADMIN, PASSWORD)


def fail(context, name="uma", address="10.0.0.9", times=1):
    for _ in range(times):
        with pytest.raises(NotAuthenticated, match=r"^The name or the password is wrong\.$"):
            log_in(context, name, "wrong horse", address=address)


def test_a_login_opens_a_session_of_twelve_hours(context):
    session = log_in(context, "uma", PASSWORD, address="10.0.0.9")

    life = session.expires_at - datetime.now(UTC)
    assert timedelta(hours=11, minutes=59) < life <= timedelta(hours=12)
    principal = session_principal(context, session.token, address="10.0.0.9")
    assert (principal.name, principal.role, principal.origin) == ("uma", Role.OPERATOR, "panel")
    assert principal.user_id is not None


def test_only_the_hash_of_the_token_is_stored(context, engine):
    session = log_in(context, "uma", PASSWORD, address=None)

    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM callboard.sessions")).mappings().one()
    assert bytes(row["token_sha256"]) == hashlib.sha256(session.token.encode()).digest()
    assert session.token not in str(dict(row))


def test_passwords_are_stored_as_argon2id(engine):
    with engine.connect() as connection:
        hashes = connection.execute(text("SELECT password_hash FROM callboard.users")).scalars().all()
    assert all(each.startswith("$argon2id$") for each in hashes)
    assert len(set(hashes)) == 2


def test_use_prolongs_a_session_and_disuse_ends_it(context, engine):
    session = log_in(context, "uma", PASSWORD, address=None)
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE callboard.sessions"
                " SET last_seen_at = now() - interval '2 hours', expires_at = now() + interval '10 hours'"
            )
        )

    assert session_principal(context, session.token) is not None

    with engine.begin() as connection:
        left = connection.execute(text("SELECT expires_at - now() FROM callboard.sessions")).scalar_one()
        assert left > timedelta(hours=11, minutes=59)
        connection.execute(text("UPDATE callboard.sessions SET expires_at = now() - interval '1 second'"))
    assert session_principal(context, session.token) is None


def test_a_session_seen_a_moment_ago_is_not_written_again(context, engine):
    session = log_in(context, "uma", PASSWORD, address=None)

    def seen():
        with engine.connect() as connection:
            return connection.execute(text("SELECT last_seen_at FROM callboard.sessions")).scalar_one()

    before = seen()
    for _ in range(3):
        assert session_principal(context, session.token) is not None
    assert seen() == before


def test_logging_out_ends_the_session_and_no_other(context):
    one = log_in(context, "uma", PASSWORD, address=None)
    other = log_in(context, "uma", PASSWORD, address=None)

    assert log_out(context, one.token)

    assert session_principal(context, one.token) is None
    assert session_principal(context, other.token) is not None
    assert not log_out(context, one.token)


@pytest.mark.parametrize("token", [None, "", "nonsense", "\0", "\ud800", "x" * 100_000])
def test_a_token_that_was_never_given_out_is_nobodys(context, token):
    assert session_principal(context, token) is None
    assert not log_out(context, token)


def test_a_new_role_holds_from_the_next_look_on(context, admin):
    session = log_in(context, "uma", PASSWORD, address=None)

    set_role(context, admin, "uma", Role.VIEWER)

    assert session_principal(context, session.token).role is Role.VIEWER


def test_switching_a_user_off_or_changing_the_password_ends_their_sessions(context, admin):
    session = log_in(context, "uma", PASSWORD, address=None)
    set_password(context, admin, "uma", "another horse")
    assert session_principal(context, session.token) is None

    session = log_in(context, "uma", "another horse", address=None)
    set_user_enabled(context, admin, "uma", enabled=False)
    assert session_principal(context, session.token) is None
    with pytest.raises(NotAuthenticated):
        log_in(context, "uma", "another horse", address=None)


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(context):
    fail(context, "uma")
    fail(context, "nobody")
    fail(context, "\0")
    fail(context, "x" * 5000)


def test_five_failures_from_one_address_close_it_for_that_name(context):
    fail(context, times=5)

    with pytest.raises(TooManyLogins, match="try again in 5 minutes") as caught:
        log_in(context, "uma", PASSWORD, address="10.0.0.9")
    assert 290 <= caught.value.retry_after_s <= 300
    assert log_in(context, "uma", PASSWORD, address="10.0.0.10").token
    assert log_in(context, "ada", PASSWORD, address="10.0.0.9").token


def test_throttling_holds_across_processes_for_it_is_in_the_database(context, settings):
    fail(context, times=5)

    with Context(settings) as elsewhere, pytest.raises(TooManyLogins):
        log_in(elsewhere, "uma", PASSWORD, address="10.0.0.9")


def test_one_address_may_not_try_many_names(context):
    for number in range(30):
        fail(context, f"nobody-{number}")

    with pytest.raises(TooManyLogins):
        log_in(context, "uma", PASSWORD, address="10.0.0.9")


def test_a_success_forgives_the_failures_before_it(context):
    fail(context, times=4)
    log_in(context, "uma", PASSWORD, address="10.0.0.9")
    fail(context, times=4)

    assert log_in(context, "uma", PASSWORD, address="10.0.0.9").token


def test_failures_are_forgotten_after_the_window(context, engine):
    fail(context, times=5)
    with engine.begin() as connection:
        connection.execute(text("UPDATE callboard.audit SET at = at - interval '301 seconds'"))

    assert log_in(context, "uma", PASSWORD, address="10.0.0.9").token


def test_attempts_while_closed_do_not_keep_it_closed(context, engine):
    fail(context, times=5)
    with engine.begin() as connection:
        connection.execute(text("UPDATE callboard.audit SET at = at - interval '250 seconds'"))
    with pytest.raises(TooManyLogins, match="1 minute") as caught:
        log_in(context, "uma", PASSWORD, address="10.0.0.9")
    assert caught.value.retry_after_s <= 50


def test_a_flood_of_attempts_while_closed_leaves_one_row_a_minute(context, engine):
    fail(context, times=5)

    for _ in range(4):
        with pytest.raises(TooManyLogins):
            log_in(context, "uma", PASSWORD, address="10.0.0.9")

    reasons = [row["reason"] for row in audit(engine) if row["action"] == "log_in"]
    assert reasons == ["wrong name or password"] * 5 + ["throttled"]


def test_a_crowd_at_the_door_leaves_the_database_to_others(context):
    busy = threading.Event()
    crowd = [
        threading.Thread(target=guess_until, args=(context, busy, f"10.0.1.{number}")) for number in range(25)
    ]
    for thread in crowd:
        thread.start()
    try:
        assert context.writer.pool.checkedout() <= 2
        with context.write() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        busy.set()
        for thread in crowd:
            thread.join()


def guess_until(context, busy, address):
    while not busy.is_set():
        with contextlib.suppress(NotAuthenticated):
            log_in(context, "nobody", "wrong horse", address=address)


def test_guesses_at_the_same_moment_do_not_slip_past_the_throttle(context):
    outcomes = []

    def guess():
        try:
            log_in(context, "uma", "wrong horse", address="10.0.0.9")
        except TooManyLogins:
            outcomes.append("throttled")
        except NotAuthenticated:
            outcomes.append("looked at")

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["looked at"] * 5 + ["throttled"] * 7


def test_logins_are_audited_and_a_word_typed_into_the_wrong_field_is_not_kept(context, engine):
    log_in(context, "uma", PASSWORD, address="10.0.0.9")
    fail(context, "my-secret-password")

    rows = [row for row in audit(engine) if row["action"] == "log_in"]
    assert [row["outcome"] for row in rows] == ["done", "refused"]
    assert rows[0]["who"] == "uma"
    assert rows[1]["target"].startswith("unknown:")
    assert "my-secret-password" not in str(audit(engine))
    assert PASSWORD not in str(audit(engine))
