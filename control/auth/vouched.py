"""Sessions of those whom a provider vouches for: who they are here, and what they may."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from callboard.control import audit
from callboard.control.auth.oidc import Refused, Vouched
from callboard.control.auth.secrets import digest
from callboard.control.auth.sessions import Session, open_session
from callboard.control.auth.tokens import MAX_NAME
from callboard.control.context import Context
from callboard.control.principal import ORDER, Principal, Role
from callboard.core.limits import storable
from callboard.core.settings_oidc import ANYBODY, parse_roles
from callboard.storage.queries import people as queries


def log_in_vouched(context: Context, vouched: Vouched, *, address: str | None) -> Session:
    """Open a session for whom the provider vouches; at the first one they become a user here.

    Their role is what the provider's claims give, anew at each sign-in.

    Raises:
        Refused: they have no role here, are switched off, or have the name of somebody else.
        Unavailable: PostgreSQL does not answer.
    """
    settings = context.settings
    role = role_of(vouched.claims, settings.callboard_oidc_role_claim, settings.callboard_oidc_roles)
    name = name_of(vouched.claims, settings.callboard_oidc_name_claims)
    try:
        with context.write() as connection:
            return _enter(connection, vouched, name, role, address)
    except Refused as error:
        # The name is what somebody outside says: it is no user's here.
        target = f"oidc:{digest(f'{vouched.issuer} {vouched.subject}').hex()[:16]}"
        caller = Principal(f"{target} ({name})", Role.VIEWER, "panel", address)
        audit.refuse(context, caller, action="log_in", target=target, reason=str(error))
        raise


def _enter(
    connection: Connection, vouched: Vouched, name: str, role: Role | None, address: str | None
) -> Session:
    user = queries.vouched_user(connection, vouched.issuer, vouched.subject)
    if role is None:
        raise Refused(f"{name} may not sign in here: nothing that the provider says of them gives a role.")
    if user is None:
        return _welcome(connection, vouched, name, role, address)
    if user["disabled_at"] is not None:
        raise Refused(f"{user['name']} is switched off here; ask an admin.")
    caller = Principal(user["name"], role, "panel", address, user["id"])
    if user["role"] != role:
        queries.set_role(connection, user["id"], role)
        _note(connection, caller, "set_role", {"role": user["role"]}, role)
    return open_session(connection, user["id"], caller)


def _welcome(connection: Connection, vouched: Vouched, name: str, role: Role, address: str | None) -> Session:
    made = queries.add_vouched_user(
        connection, name=name, role=role, issuer=vouched.issuer, subject=vouched.subject
    )
    if made is None:
        raise Refused(f"There is another user named {name} here; an admin must see to that name first.")
    caller = Principal(name, role, "panel", address, made)
    _note(connection, caller, "add_user", None, role)
    return open_session(connection, made, caller)


def _note(
    connection: Connection, caller: Principal, action: str, before: Mapping[str, Any] | None, role: Role
) -> None:
    after = {"role": role, "by": "what the provider says"}
    audit.record(connection, caller, action=action, target=caller.name, before=before, after=after)


def role_of(claims: Mapping[str, Any], claim: str, roles: str) -> Role | None:
    """The greatest role that what a claim says gives, by the setting `roles`; None where it gives none."""
    given = parse_roles(roles)
    said = _claim(claims, claim)
    values = said if isinstance(said, list) else [said]
    found = [given[value] for value in [ANYBODY, *values] if isinstance(value, str) and value in given]
    return max(map(Role, found), key=ORDER.index, default=None)


def name_of(claims: Mapping[str, Any], names: str) -> str:
    """What a new user is called: the first of the claims that is a name."""
    for claim in names.split(","):
        said = _claim(claims, claim.strip())
        name = storable(said).strip() if isinstance(said, str) else ""
        if name and name.isprintable() and len(name) <= MAX_NAME:
            return name
    return f"user-{digest(str(claims.get('sub'))).hex()[:12]}"


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or else by the way to it, such as `realm_access.roles`."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
