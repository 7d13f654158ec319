"""Sessions of the panel: a random token in a cookie, of which only the SHA-256 is stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from callboard.control import audit
from callboard.control.auth import secrets, throttle
from callboard.control.context import Context
from callboard.control.principal import Origin, Principal, Role
from callboard.core.errors import NotAuthenticated
from callboard.core.limits import storable
from callboard.storage.queries import people as queries

#: The cookie that has the token.
COOKIE: Final = "callboard_session"
#: A session ends this long after it was last used.
LIFE_S: Final = 12 * 3600
#: Its use is noted at most this often, so that a page that refreshes itself does not write each time.
FRESH_S: Final = 60

WRONG: Final = "The name or the password is wrong."


@dataclass(frozen=True, slots=True)
class Session:
    """A session just opened. The token is known here and nowhere else."""

    token: str
    principal: Principal
    expires_at: datetime


def log_in(
    context: Context, name: str, password: str, *, address: str | None, origin: Origin = "panel"
) -> Session:
    """Open a session for a user.

    Raises:
        NotAuthenticated: the name or the password is wrong, or the user is switched off.
        TooManyLogins: too many logins of that name or from that address failed in the last minutes.
    """
    with throttle.turn(), context.write() as connection:
        user = queries.user(connection, storable(name))
        # A password typed into the wrong field must not end up in the trail.
        target = name if user is not None else f"unknown:{secrets.digest(name).hex()[:16]}"
        role = Role(user["role"]) if user else Role.VIEWER
        caller = Principal(target, role, origin, address, user["id"] if user else None)
        try:
            throttle.check(connection, target=target, address=address)
        except throttle.TooManyLogins as error:
            refused: NotAuthenticated = error
            reason = throttle.THROTTLED
        else:
            right = secrets.verify_password(user["password_hash"] if user else None, password)
            if user is not None and right and user["disabled_at"] is None:
                if secrets.outdated(user["password_hash"]):
                    queries.set_password(connection, user["id"], secrets.hash_password(password))
                return open_session(connection, user["id"], caller)
            refused = NotAuthenticated(WRONG)
            reason = "the user is switched off" if right else "wrong name or password"
        if reason != throttle.THROTTLED or not throttle.noted(connection, target=target, address=address):
            audit.record(connection, caller, action="log_in", target=target, outcome="refused", reason=reason)
    raise refused


def session_principal(
    context: Context, token: str | None, *, address: str | None = None, origin: Origin = "panel"
) -> Principal | None:
    """Whose session it is, prolonged by being used; None where it has expired, was ended, or never was."""
    if not token:
        return None
    digest = secrets.digest(token)
    with context.read() as connection:
        row = queries.session(connection, digest, fresh_s=FRESH_S)
    if row is None:
        return None
    if row["stale"]:
        with context.write() as connection:
            queries.touch_session(connection, row["id"], life_s=LIFE_S)
    return Principal(row["name"], Role(row["role"]), origin, address, row["user_id"])


def log_out(
    context: Context, token: str | None, *, address: str | None = None, origin: Origin = "panel"
) -> bool:
    """End a session; False where there was none."""
    if not token:
        return False
    with context.write() as connection:
        row = queries.revoke_session(connection, secrets.digest(token))
        if row is None:
            return False
        caller = Principal(row["name"], Role(row["role"]), origin, address, row["user_id"])
        audit.record(connection, caller, action="log_out", target=caller.name)
    return True


def open_session(connection: Connection, user_id: UUID, caller: Principal) -> Session:
    """Open a session for a user whose identity was established, and note that in the trail."""
    token = secrets.new_token()
    expires_at = queries.add_session(connection, user_id=user_id, digest=secrets.digest(token), life_s=LIFE_S)
    audit.record(connection, caller, action="log_in", target=caller.name)
    return Session(token=token, principal=caller, expires_at=expires_at)
