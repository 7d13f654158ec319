"""Who asks, and what a role may do."""

import getpass
import os
import socket
from collections.abc import Iterable
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
    "jobs:pause": Role.OPERATOR,
    "queues:pause": Role.OPERATOR,
    "runs:cancel": Role.OPERATOR,
    "runs:retry": Role.OPERATOR,
    "breakers:reset": Role.OPERATOR,
    "limits:reset": Role.OPERATOR,
    "alerts:manage": Role.OPERATOR,
    "workers:inspect": Role.OPERATOR,
    "audit:view": Role.ADMIN,
    "users:manage": Role.ADMIN,
    "tokens:manage": Role.ADMIN,
    "dead:requeue": Role.OPERATOR,
    "dead:drop": Role.OPERATOR,
    "schedules:edit": Role.OPERATOR,
    "sql:schedule": Role.ADMIN,
    "demo:manage": Role.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is limited to below its role; None: no limit in that respect."""

    permissions: frozenset[str] | None = None
    jobs: frozenset[str] | None = None

    def covers(self, permission: str, job: str | None) -> bool:
        """Whether it includes the permission for that job. A limit to jobs excludes what is of no job."""
        return (self.permissions is None or permission in self.permissions) and (
            self.jobs is None or job in self.jobs
        )

    def __str__(self) -> str:
        what = "everything" if self.permissions is None else ", ".join(sorted(self.permissions))
        return what if self.jobs is None else f"{what} of {', '.join(sorted(self.jobs))}"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whose identity was established. `user_id` is None for tokens and for the command line."""

    name: str
    role: Role
    origin: Origin
    address: str | None = None
    user_id: UUID | None = None
    scope: Scope | None = None

    def may(self, permission: str, job: str | None = None) -> bool:
        """Whether role and scope include the permission; KeyError where there is no such permission.

        `job` is the one that it is asked for; None: for all of them, or for what has nothing to do with jobs.
        """
        return self._has_role(permission) and (self.scope is None or self.scope.covers(permission, job))

    def require(self, permission: str, job: str | None = None) -> None:
        """Raise NotAllowed unless role and scope include the permission."""
        if not self._has_role(permission):
            raise NotAllowed(
                f"{self.name} is {_article(self.role)} and may not do this: it takes {permission},"
                f" which begins with the role {PERMISSIONS[permission]}."
            )
        if not self.may(permission, job):
            of = "" if job is None else f" of {job[:100]}"
            raise NotAllowed(
                f"{self.name} is limited to {self.scope} and may not do this: it takes {permission}{of}."
            )

    def _has_role(self, permission: str) -> bool:
        return ORDER.index(self.role) >= ORDER.index(PERMISSIONS[permission])


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


def least_role(permissions: Iterable[str]) -> Role:
    """The least role that includes all of the permissions.

    Raises:
        BadInput: there is no such permission.
    """
    least = Role.VIEWER
    for permission in permissions:
        if permission not in PERMISSIONS:
            known = ", ".join(sorted(PERMISSIONS))
            raise BadInput(f"There is no permission {permission[:40]!r}; the permissions are {known}.")
        least = max(least, PERMISSIONS[permission], key=ORDER.index)
    return least


def _article(role: Role) -> str:
    return f"{'a' if role is Role.VIEWER else 'an'} {role}"
