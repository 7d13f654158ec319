"""The people who may log in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from callboard.control.audit import audited
from callboard.control.auth import secrets
from callboard.control.auth.tokens import check_name
from callboard.control.context import Context
from callboard.control.principal import Principal, Role
from callboard.core.errors import Conflict, NotFound
from callboard.core.limits import storable
from callboard.storage.queries import Row
from callboard.storage.queries import people as queries

PERMISSION = "users:manage"


@dataclass(frozen=True, slots=True)
class User:
    """A user; `disabled_at` is None while they may log in, `issuer` is the provider that vouches for them."""

    id: UUID
    name: str
    role: str
    created_at: datetime
    disabled_at: datetime | None
    issuer: str | None = None


def users(context: Context, principal: Principal) -> tuple[User, ...]:
    """All users, by name."""
    principal.require(PERMISSION)
    with context.read() as connection:
        return tuple(User(**row) for row in queries.users(connection))


def add_user(context: Context, principal: Principal, name: str, role: Role, password: str) -> UUID:
    """Add a user.

    Raises:
        NotAllowed: the principal is no admin.
        BadInput: the name or the password is too short or too long.
        Conflict: the name is taken.
    """
    with audited(context, principal, permission=PERMISSION, action="add_user", target=name) as entry:
        check_name("user", name)
        made = queries.add_user(
            entry.connection, name=name, role=role, password_hash=secrets.hash_password(password)
        )
        if made is None:
            raise Conflict(f"There is a user named {name!r} already; choose another name.")
        entry.after = {"role": role}
    return made


def set_password(context: Context, principal: Principal, name: str, password: str) -> None:
    """Replace a user's password and end their sessions.

    Raises:
        NotAllowed: the principal is no admin.
        NotFound: there is no such user.
        BadInput: the password is too short or too long.
        Conflict: they sign in with a provider.
    """
    with audited(context, principal, permission=PERMISSION, action="set_password", target=name) as entry:
        user = _user(entry.connection, name)
        _refuse_vouched(user, "password is kept there")
        queries.set_password(entry.connection, user["id"], secrets.hash_password(password))
        entry.after = {"sessions_ended": queries.revoke_sessions(entry.connection, user["id"])}


def set_role(context: Context, principal: Principal, name: str, role: Role) -> None:
    """Give a user another role; it holds from their next request on.

    Raises:
        NotAllowed: the principal is no admin.
        NotFound: there is no such user.
        Conflict: nobody would be left who may administer, or a provider says which role they have.
    """
    with audited(context, principal, permission=PERMISSION, action="set_role", target=name) as entry:
        queries.lock_users(entry.connection)
        user = _user(entry.connection, name)
        _refuse_vouched(user, "role follows from what it says of them (CALLBOARD_OIDC_ROLES)")
        queries.set_role(entry.connection, user["id"], role)
        _keep_an_admin(entry.connection, user)
        entry.before, entry.after = {"role": user["role"]}, {"role": role}


def set_user_enabled(context: Context, principal: Principal, name: str, *, enabled: bool) -> None:
    """Let a user log in, or switch them off and end their sessions.

    Raises:
        NotAllowed: the principal is no admin.
        NotFound: there is no such user.
        Conflict: nobody would be left who may administer.
    """
    action = "enable_user" if enabled else "disable_user"
    with audited(context, principal, permission=PERMISSION, action=action, target=name) as entry:
        queries.lock_users(entry.connection)
        user = _user(entry.connection, name)
        queries.set_disabled(entry.connection, user["id"], disabled=not enabled)
        if not enabled:
            queries.revoke_sessions(entry.connection, user["id"])
        _keep_an_admin(entry.connection, user)
        entry.before, entry.after = {"enabled": user["disabled_at"] is None}, {"enabled": enabled}


def end_sessions(context: Context, principal: Principal, name: str) -> int:
    """Sign a user out everywhere; returns how many sessions ended.

    Raises:
        NotAllowed: the principal is no admin.
        NotFound: there is no such user.
    """
    with audited(context, principal, permission=PERMISSION, action="end_sessions", target=name) as entry:
        user = _user(entry.connection, name)
        ended = queries.revoke_sessions(entry.connection, user["id"])
        entry.after = {"sessions_ended": ended}
    return ended


def _user(connection: Connection, name: str) -> Row:
    user = queries.user(connection, storable(name))
    if user is None:
        raise NotFound(f"There is no user named {name[:100]!r}.")
    return user


def _refuse_vouched(user: Row, why: str) -> None:
    if user["issuer"] is not None:
        raise Conflict(f"{user['name']} signs in with {user['issuer']}: the {why}.")


def _keep_an_admin(connection: Connection, before: Row) -> None:
    was_admin = before["role"] == Role.ADMIN and before["disabled_at"] is None
    if was_admin and queries.admins(connection) == 0:
        raise Conflict("This is the last admin who may log in; make another one first.")
