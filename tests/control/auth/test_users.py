import pytest

from callboard.control.auth import Role, add_user, log_in, set_password, set_role, set_user_enabled, users
from callboard.core.errors import BadInput, Conflict, NotAllowed, NotFound
from helpers.declarations import audit

PASSWORD = "correct horse"


def test_users_are_added_and_listed_without_their_hashes(context, admin):
    add_user(context, admin, "uma", Role.OPERATOR, PASSWORD)

    (user,) = users(context, admin)

    assert (user.name, user.role, user.disabled_at) == ("uma", "operator", None)
    assert "argon2" not in str(user)


def test_a_name_is_taken_once(context, admin):
    add_user(context, admin, "uma", Role.OPERATOR, PASSWORD)

    with pytest.raises(Conflict, match="user named 'uma' already"):
        add_user(context, admin, "uma", Role.ADMIN, PASSWORD)


@pytest.mark.parametrize("password", ["", "seven77", "x" * 1025])
def test_a_password_too_short_or_too_long_is_refused(context, admin, password):
    with pytest.raises(BadInput, match="from 8 to 1024 characters"):
        add_user(context, admin, "uma", Role.VIEWER, password)


def test_only_admins_manage_users(context, engine, operator):
    for call in (
        lambda: add_user(context, operator, "uma", Role.ADMIN, PASSWORD),
        lambda: set_password(context, operator, "uma", PASSWORD),
        lambda: set_role(context, operator, "uma", Role.ADMIN),
        lambda: set_user_enabled(context, operator, "uma", enabled=True),
        lambda: users(context, operator),
    ):
        with pytest.raises(NotAllowed):
            call()
    assert [row["outcome"] for row in audit(engine)] == ["refused"] * 4


def test_the_last_admin_stays_one(context, admin):
    add_user(context, admin, "ada", Role.ADMIN, PASSWORD)

    with pytest.raises(Conflict, match="last admin"):
        set_role(context, admin, "ada", Role.VIEWER)
    with pytest.raises(Conflict, match="last admin"):
        set_user_enabled(context, admin, "ada", enabled=False)

    add_user(context, admin, "eve", Role.ADMIN, PASSWORD)
    set_role(context, admin, "ada", Role.VIEWER)
    assert [(user.name, user.role) for user in users(context, admin)] == [("ada", "viewer"), ("eve", "admin")]


def test_a_user_switched_off_comes_back_when_switched_on(context, admin):
    add_user(context, admin, "ada", Role.ADMIN, PASSWORD)
    add_user(context, admin, "uma", Role.VIEWER, PASSWORD)

    set_user_enabled(context, admin, "uma", enabled=False)
    set_user_enabled(context, admin, "uma", enabled=True)

    assert log_in(context, "uma", PASSWORD, address=None).token


@pytest.mark.parametrize("name", ["nobody", "\0", ""])
def test_an_unknown_user_is_not_found(context, admin, name):
    with pytest.raises(NotFound):
        set_password(context, admin, name, PASSWORD)


def test_no_password_reaches_the_trail(context, engine, admin):
    add_user(context, admin, "uma", Role.VIEWER, PASSWORD)
    set_password(context, admin, "uma", "another horse")

    assert "horse" not in str(audit(engine))
    assert [row["action"] for row in audit(engine)] == ["add_user", "set_password"]
