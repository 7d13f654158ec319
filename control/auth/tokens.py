"""Bearer tokens of the API: the settings' own, and those made later, of which only the SHA-256 is stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from callboard.control.audit import audited
from callboard.control.auth import secrets
from callboard.control.context import Context
from callboard.control.principal import Origin, Principal, Role
from callboard.core.errors import BadInput, Conflict, NotAuthenticated, NotFound
from callboard.core.limits import storable
from callboard.core.settings import Settings
from callboard.storage.queries import people as queries

#: The use of a token is noted at most this often.
FRESH_S: Final = 60
MAX_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without the token itself."""

    name: str
    role: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def bearer_principal(
    context: Context, token: str | None, *, address: str | None = None, origin: Origin = "api"
) -> Principal:
    """Whose token it is. The settings' tokens are known without the database.

    Raises:
        NotAuthenticated: no token was given, or none such is valid.
    """
    if not token:
        raise NotAuthenticated("This needs a token: send the header `Authorization: Bearer <token>`.")
    known = _of_settings(context.settings, token)
    if known is not None:
        name, role = known
        return Principal(name, role, origin, address)
    with context.read() as connection:
        row = queries.token(connection, secrets.digest(token), fresh_s=FRESH_S)
    if row is None:
        raise NotAuthenticated("The token is not valid; it may have been revoked or have expired.")
    if row["stale"]:
        with context.write() as connection:
            queries.touch_token(connection, row["id"])
    return Principal(f"token:{row['name']}", Role(row["role"]), origin, address)


def add_token(
    context: Context, principal: Principal, name: str, role: Role, *, life_s: int | None = None
) -> str:
    """Make a token and return it; it cannot be shown again. Without a life in seconds it never expires.

    Raises:
        NotAllowed: the principal is no admin.
        BadInput: the name is empty or too long, or the life is not more than 0.
        Conflict: the name is taken.
    """
    with audited(context, principal, permission="tokens:manage", action="add_token", target=name) as entry:
        check_name("token", name)
        if life_s is not None and life_s <= 0:
            raise BadInput(f"A token's life must be more than 0 seconds, not {life_s}.")
        token = secrets.new_token()
        made = queries.add_token(
            entry.connection, name=name, role=role, digest=secrets.digest(token), life_s=life_s
        )
        if made is None:
            raise Conflict(f"There is a token named {name!r} already; choose another name.")
        entry.after = {"role": role, "life_s": life_s}
    return token


def revoke_token(context: Context, principal: Principal, name: str) -> None:
    """End a token at once.

    Raises:
        NotAllowed: the principal is no admin.
        NotFound: there is no valid token of that name.
    """
    with audited(context, principal, permission="tokens:manage", action="revoke_token", target=name) as entry:
        role = queries.revoke_token(entry.connection, storable(name))
        if role is None:
            raise NotFound(f"There is no valid token named {name[:MAX_NAME]!r}.")
        entry.before = {"role": role}


def tokens(context: Context, principal: Principal) -> tuple[Token, ...]:
    """All tokens, by name, the revoked ones included."""
    principal.require("tokens:manage")
    with context.read() as connection:
        rows = queries.tokens(connection)
    return tuple(Token(**{key: row[key] for key in Token.__slots__}) for row in rows)


def check_name(what: str, name: str) -> None:
    """Refuse a name that is empty, too long, or not made of printable characters."""
    if not name.strip() or name != name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise BadInput(f"A {what}'s name has 1 to {MAX_NAME} printable characters and no space at its ends.")


def _of_settings(settings: Settings, token: str) -> tuple[str, Role] | None:
    found = None
    # Every one is compared, so that the time tells nothing about which.
    for name, secret, role in (
        ("CALLBOARD_API_TOKEN", settings.callboard_api_token, Role.ADMIN),
        ("CRON_SECRET", settings.cron_secret, Role.OPERATOR),
    ):
        if secret is not None and secrets.same(secret.get_secret_value(), token) and found is None:
            found = name, role
    return found
