"""Who asks, and what a role may do."""

import getpass
import os
import socket
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from callboard.core.errors import BadInput, NotAllowed

#: Through which face somebody came.
Origin = Literal["api", "panel", "cli", "sql"]


class Role(StrEnum):
    """Each role may do all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


ORDER: Final = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)

#: The least role for each permission.
PERMISSIONS: Final[dict[str, Role]] = {
    "jobs:view": Role.VIEWER,
    "analytics:view_all": Role.VIEWER,
    "jobs:run": Role.OPERATOR,
    "jobs:toggle": Role.OPERATOR,
    "audit:view": Role.ADMIN,
    "users:manage": Role.ADMIN,
    "tokens:manage": Role.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whose identity was established. `user_id` is None for tokens and for the command line."""

    name: str
    role: Role
    origin: Origin
    address: str | None = None
    user_id: UUID | None = None

    def may(self, permission: str) -> bool:
        """Whether the role includes the permission; KeyError where there is no such permission."""
        return ORDER.index(self.role) >= ORDER.index(PERMISSIONS[permission])

    def require(self, permission: str) -> None:
        """Raise NotAllowed unless the role includes the permission."""
        if not self.may(permission):
            raise NotAllowed(
                f"{self.name} is {_article(self.role)} and may not do this: it takes {permission},"
                f" which begins with the role {PERMISSIONS[permission]}."
            )


def local_principal() -> Principal:
    """Whoever runs a command on this machine: the database's password in hand, an admin already."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = str(os.getuid())
    return Principal(f"{name}@{socket.gethostname()}", Role.ADMIN, "cli")


def parse_role(text: str) -> Role:
    """The role of that name."""
    try:
        return Role(text)
    except ValueError:
        raise BadInput(f"There is no role {text[:40]!r}; the roles are {', '.join(ORDER)}.") from None


def _article(role: Role) -> str:
    return f"{'a' if role is Role.VIEWER else 'an'} {role}"
