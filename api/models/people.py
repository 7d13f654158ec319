"""Users, tokens and the audit trail."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictFloat

from callboard.api.models.base import Body, RequestBody, example
from callboard.control.audit import Audited
from callboard.control.auth import Token, User

RoleName = Literal["viewer", "operator", "admin"]
Name = Annotated[str, Field(max_length=1_000)]
Password = Annotated[str, Field(max_length=10_000, description="From 8 to 1024 characters.")]

_USER = {
    "id": "0b7e4a52-9a8c-4d57-a0a9-6d8f8a1a7c11",
    "name": "ada",
    "role": "operator",
    "createdAt": "2026-01-24T10:00:00Z",
    "disabledAt": None,
    "issuer": None,
}
_TOKEN = {
    "name": "ci",
    "role": "operator",
    "permissions": ["jobs:run"],
    "jobs": ["health-check"],
    "createdAt": "2026-01-24T10:00:00Z",
    "createdBy": "ada",
    "expiresAt": "2026-02-23T10:00:00Z",
    "revokedAt": None,
    "lastUsedAt": None,
}


class UserBody(Body):
    """Somebody who may sign in to the panel; `disabledAt` is null while they may.

    `issuer` is the OpenID Connect provider that they sign in with; null: they have a password.
    """

    model_config = example(_USER)

    id: UUID
    name: str
    role: RoleName
    created_at: datetime
    disabled_at: datetime | None
    issuer: str | None

    @classmethod
    def of(cls, user: User) -> "UserBody":
        """The body for a user."""
        return cls(**{name: getattr(user, name) for name in cls.model_fields})


class UserList(Body):
    """All users, by name."""

    users: list[UserBody]


class NewUser(RequestBody):
    """Somebody to add."""

    model_config = example({"name": "ada", "role": "operator", "password": "correct horse battery"})

    name: Name
    role: RoleName
    password: Password


class NewRole(RequestBody):
    """The role to give."""

    model_config = example({"role": "operator"})

    role: RoleName


class NewPassword(RequestBody):
    """The password to set."""

    model_config = example({"password": "correct horse battery"})

    password: Password


class MayLogIn(RequestBody):
    """Whether the user may sign in."""

    model_config = example({"enabled": False})

    enabled: StrictBool


class Done(Body):
    """It is done."""

    model_config = example({"success": True})

    success: bool = True


class SignedOut(Body):
    """How many sessions have ended."""

    model_config = example({"success": True, "sessionsEnded": 2})

    success: bool = True
    sessions_ended: int


class TokenBody(Body):
    """A token, without the token itself. Where `permissions` or `jobs` is null, it is not limited to any."""

    model_config = example(_TOKEN)

    name: str
    role: RoleName
    permissions: list[str] | None
    jobs: list[str] | None
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: Token) -> "TokenBody":
        """The body for a token."""
        return cls(**{name: getattr(token, name) for name in cls.model_fields})


class TokenList(Body):
    """All tokens, by name, the revoked ones included."""

    tokens: list[TokenBody]


class NewToken(RequestBody):
    """A token to make. Without a role it has the least one that includes the permissions."""

    model_config = example(
        {"name": "ci", "permissions": ["jobs:run"], "jobs": ["health-check"], "expiresInDays": 30}
    )

    name: Name
    role: RoleName | None = None
    permissions: Annotated[list[Name] | None, Field(max_length=50)] = None
    jobs: Annotated[list[Name] | None, Field(max_length=1_000)] = None
    expires_in_days: Annotated[StrictFloat | None, Field(gt=0, le=36_500)] = None


class MadeToken(Body):
    """The token, which is shown this once."""

    model_config = example({"name": "ci", "token": "callboard_h3Jx..."})

    name: str
    token: str


class AuditEntry(Body):
    """Somebody's action, done or refused."""

    model_config = example(
        {
            "id": 42,
            "at": "2026-01-24T10:00:00Z",
            "who": "ada",
            "role": "admin",
            "origin": "panel",
            "address": "10.0.0.9",
            "action": "set_role",
            "target": "otto",
            "before": {"role": "viewer"},
            "after": {"role": "operator"},
            "outcome": "done",
            "reason": None,
        }
    )

    id: int
    at: datetime
    who: str
    role: str | None
    origin: str
    address: str | None
    action: str
    target: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    outcome: Literal["done", "refused"]
    reason: str | None

    @classmethod
    def of(cls, entry: Audited) -> "AuditEntry":
        """The body for a row of the trail."""
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class AuditPage(Body):
    """A page of the trail, the latest first; `nextCursor` is null on the last one."""

    entries: list[AuditEntry]
    next_cursor: str | None
