"""The first credentials: an admin's password and an API token, made once and told once."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from callboard.control import audit
from callboard.control.auth import secrets
from callboard.control.principal import Principal, Role
from callboard.core.settings import Settings
from callboard.storage.queries import audit as audit_queries
from callboard.storage.queries import people as queries

ADMIN = "admin"
TOKEN = "first-start"  # noqa: S105 - a name, not a secret


@dataclass(frozen=True, slots=True)
class FirstCredentials:
    """What was made just now, in clear; None for what exists already or is given by the settings."""

    admin_password: str | None
    api_token: str | None


def ensure_first_credentials(engine: Engine, settings: Settings) -> FirstCredentials:
    """See to it that an admin can log in and a token is valid. Safe to call by several processes at once.

    `CALLBOARD_ADMIN_PASSWORD`, where set, is made the password of the user `admin`, at every start; sessions
    opened with another password end. `CALLBOARD_API_TOKEN`, where set, is valid by itself, and none is made.
    """
    caller = Principal("first start", Role.ADMIN, "cli")
    with engine.begin() as connection:
        audit_queries.lock(connection, "callboard:first_start")
        return FirstCredentials(
            admin_password=_password(connection, settings, caller),
            api_token=_token(connection, settings, caller),
        )


def ensure_admin(engine: Engine, settings: Settings) -> None:
    """Make `CALLBOARD_ADMIN_PASSWORD` the password of the user `admin`; do nothing where it is not set."""
    if settings.callboard_admin_password is None:
        return
    with engine.begin() as connection:
        audit_queries.lock(connection, "callboard:first_start")
        _password(connection, settings, Principal("first start", Role.ADMIN, "cli"))


def _password(connection: Connection, settings: Settings, caller: Principal) -> str | None:
    given = settings.callboard_admin_password
    user = queries.user(connection, ADMIN)
    if given is not None:
        password = given.get_secret_value()
        if user is None:
            _add_admin(connection, password, caller)
        elif not secrets.verify_password(user["password_hash"], password):
            queries.set_password(connection, user["id"], secrets.hash_password(password))
            ended = queries.revoke_sessions(connection, user["id"])
            audit.record(
                connection, caller, action="set_password", target=ADMIN, after={"sessions_ended": ended}
            )
        return None
    if queries.users(connection):
        return None
    password = secrets.new_password()
    _add_admin(connection, password, caller)
    return password


def _add_admin(connection: Connection, password: str, caller: Principal) -> None:
    queries.add_user(connection, name=ADMIN, role=Role.ADMIN, password_hash=secrets.hash_password(password))
    audit.record(connection, caller, action="add_user", target=ADMIN, after={"role": Role.ADMIN})


def _token(connection: Connection, settings: Settings, caller: Principal) -> str | None:
    if settings.callboard_api_token is not None or queries.has_token(connection, TOKEN):
        return None
    token = secrets.new_token()
    queries.add_token(
        connection, name=TOKEN, role=Role.ADMIN, digest=secrets.digest(token), life_s=None, by=caller.name
    )
    audit.record(connection, caller, action="add_token", target=TOKEN, after={"role": Role.ADMIN})
    return token
