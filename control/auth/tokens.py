"""Bearer tokens of the API: the settings' own, and those made later, of which only the SHA-256 is stored."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import SecretStr
from sqlalchemy import Connection

from callboard.control.audit import audited, record
from callboard.control.auth import secrets
from callboard.control.context import Context
from callboard.control.principal import ORDER, Origin, Principal, Role, Scope, least_role
from callboard.control.reads.names import UnknownJob
from callboard.core.errors import BadInput, Conflict, NotAuthenticated, NotFound, Unavailable
from callboard.core.limits import storable
from callboard.core.settings import Settings
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import people as queries

#: The use of a token is noted at most this often.
FRESH_S: Final = 60
MAX_NAME: Final = 100
MAX_LIFE_S: Final = 36_500 * 86_400
#: What no limited token may do: it could make itself one without limits.
UNLIMITED_ONLY: Final = frozenset({"users:manage", "tokens:manage"})

#: The settings that are tokens, and what each may do; the greater come first.
STATIC: Final[tuple[tuple[str, Role, Scope | None], ...]] = (
    ("CALLBOARD_API_TOKEN", Role.ADMIN, None),
    (
        "CRON_SECRET",
        Role.OPERATOR,
        Scope(permissions=frozenset({"jobs:view", "analytics:view_all", "jobs:run", "jobs:toggle"})),
    ),
    ("JOB_QUEUE_RUNNER_SECRET", Role.OPERATOR, Scope(permissions=frozenset({"jobs:run"}))),
    (
        "JOB_RUNNER_TOKEN",
        Role.OPERATOR,
        Scope(permissions=frozenset({"jobs:run"}), jobs=frozenset({"run-outbound", "run-outbound-jobs"})),
    ),
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without the token itself."""

    name: str
    role: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    #: All that it may do, and with which jobs; None: whatever its role may, and with all.
    permissions: Sequence[str] | None
    jobs: Sequence[str] | None
    created_by: str | None


def bearer_principal(
    context: Context, token: str | None, *, address: str | None = None, origin: Origin = "api"
) -> Principal:
    """Whose token it is. The settings' tokens are known without the database.

    Raises:
        NotAuthenticated: no token was given, or none such is valid.
        TooManyAttempts: too many wrong tokens came from that address of late.
    """
    if not token:
        raise NotAuthenticated("This needs a token: send the header `Authorization: Bearer <token>`.")
    digest = secrets.digest(token)
    context.attempts.check(address, digest)
    principal = settings_principal(context.settings, token, address=address, origin=origin)
    if principal is None:
        principal = _stored(context, digest, address, origin)
    if principal is None:
        if context.attempts.fail(address):
            _note_flood(context, address, origin)
        raise NotAuthenticated("The token is not valid; it may have been revoked or have expired.")
    context.attempts.succeed(digest)
    return principal


def settings_principal(
    settings: Settings, token: str, *, address: str | None = None, origin: Origin = "api"
) -> Principal | None:
    """Whose static token it is; None where the settings have no such."""
    found = None
    # Every one is compared, so that the time tells nothing about which.
    for name, role, scope in STATIC:
        secret: SecretStr | None = getattr(settings, name.lower())
        if secret is not None and secrets.same(secret.get_secret_value(), token) and found is None:
            found = Principal(name, role, origin, address, scope=scope)
    return found


def add_token(
    context: Context,
    principal: Principal,
    name: str,
    role: Role | None = None,
    *,
    life_s: int | None = None,
    permissions: Collection[str] | None = None,
    jobs: Collection[str] | None = None,
) -> str:
    """Make a token and return it; it cannot be shown again. Without a life in seconds it never expires.

    `permissions` and `jobs` limit it to these. Without a role it has the least one that includes them.

    Raises:
        NotAllowed: the principal is no admin.
        BadInput: the name is empty or too long, the life is not more than 0 or ends after the year 9999, or
            the permissions are unknown, beyond the role, or such that no limit would hold.
        NotFound: there is no such job.
        Conflict: the name is taken.
    """
    with audited(context, principal, permission="tokens:manage", action="add_token", target=name) as entry:
        check_name("token", name)
        if life_s is not None and life_s <= 0:
            raise BadInput(f"A token's life must be more than 0 seconds, not {life_s}.")
        if life_s is not None and life_s > MAX_LIFE_S:
            raise BadInput(f"A token's life is at most {MAX_LIFE_S // 86_400} days; leave it out for ever.")
        given = _role(role, permissions)
        if jobs is not None:
            _check_jobs(entry.connection, jobs)
        token = secrets.new_token()
        made = queries.add_token(
            entry.connection,
            name=name,
            role=given,
            digest=secrets.digest(token),
            life_s=life_s,
            permissions=None if permissions is None else sorted(set(permissions)),
            jobs=None if jobs is None else sorted(set(jobs)),
            by=principal.name,
        )
        if made is None:
            raise Conflict(f"There is a token named {name!r} already; choose another name.")
        entry.after = {"role": given, "life_s": life_s}
        if permissions is not None:
            entry.after |= {"permissions": sorted(set(permissions))}
        if jobs is not None:
            entry.after |= {"jobs": sorted(set(jobs))}
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


def _stored(context: Context, digest: bytes, address: str | None, origin: Origin) -> Principal | None:
    with context.read() as connection:
        row = queries.token(connection, digest, fresh_s=FRESH_S)
    if row is None:
        return None
    if row["stale"]:
        with context.write() as connection:
            queries.touch_token(connection, row["id"])
    limits = [None if row[name] is None else frozenset(row[name]) for name in ("permissions", "jobs")]
    scope = None if limits == [None, None] else Scope(*limits)
    return Principal(f"token:{row['name']}", Role(row["role"]), origin, address, scope=scope)


def _note_flood(context: Context, address: str | None, origin: Origin) -> None:
    caller = Principal("unknown", Role.VIEWER, origin, address)
    try:
        with context.write() as connection:
            record(connection, caller, action="use_token", target="unknown", outcome="refused",
                   reason="too many wrong tokens came from this address")  # fmt: skip
    except Unavailable:
        # The answer is the same without it.
        return


def _role(role: Role | None, permissions: Collection[str] | None) -> Role:
    if permissions is None:
        return role or Role.VIEWER
    least = least_role(permissions)
    if not permissions:
        raise BadInput("A token that is limited to permissions names at least one.")
    if UNLIMITED_ONLY & set(permissions):
        names = " and ".join(sorted(UNLIMITED_ONLY))
        raise BadInput(f"A limited token cannot have {names}; make an admin's token without limits for that.")
    if role is not None and ORDER.index(role) < ORDER.index(least):
        raise BadInput(f"The role {role} does not include all of the permissions; {least} does.")
    return role or least


def _check_jobs(connection: Connection, jobs: Collection[str]) -> None:
    if not jobs:
        raise BadInput("A token that is limited to jobs names at least one.")
    known = job_queries.names(connection)
    for job in jobs:
        if job not in known:
            raise UnknownJob(job, known)
