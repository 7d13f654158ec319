"""The system account that PostgreSQL runs under: one's own, except for root, whom PostgreSQL refuses."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callboard.core.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Account:
    """A system account. `dropped` says that it is not the caller's own."""

    uid: int
    gid: int
    name: str
    dropped: bool

    def can_enter(self, folder: Path) -> bool:
        """Whether this account may pass through that folder and every folder above it."""
        resolved = folder.resolve()
        return all(self._may_pass(part) for part in (resolved, *resolved.parents))

    def own(self, path: Path) -> None:
        """Hand that path to the account."""
        if self.dropped:
            os.chown(path, self.uid, self.gid)

    def popen(self) -> dict[str, Any]:
        """Arguments of `subprocess.Popen` that start a process under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.dropped else {}

    def _may_pass(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def postgres_account() -> Account:
    """The caller's own account; for root, that of `nobody`.

    Raises:
        Unavailable: PostgreSQL can run under no account that we could give it.
    """
    uid = os.geteuid()
    if uid != 0:
        return _own(uid)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise Unavailable(
            "PostgreSQL refuses to run as root and this system has no user `nobody` to run it instead: "
            "run Callboard as an ordinary user, or set DATABASE_URL to a running PostgreSQL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name, dropped=True)


def user_name(uid: int) -> str:
    """The name of that user, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _own(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise Unavailable(
            f"The embedded PostgreSQL cannot run as user id {uid}, which has no entry in /etc/passwd: "
            "run as a user that has one, or set DATABASE_URL to a running PostgreSQL."
        ) from None
    return Account(uid, os.getegid(), entry.pw_name, dropped=False)
