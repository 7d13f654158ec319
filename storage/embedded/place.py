"""Where PostgreSQL's files lie: `<home>/postgresql`, or where root's unprivileged server can reach them."""

import secrets
from pathlib import Path

from callboard.core.errors import Unavailable
from callboard.storage.embedded.account import Account, user_name

#: Holds the files of homes that an unprivileged user cannot reach, such as one under /root.
OUTSIDE = Path("/var/lib/callboard")


def postgres_place(home: Path, account: Account) -> Path:
    """The folder, made if it is not there, owned by that account and closed to others.

    Under a home that the account cannot reach, `<home>/postgresql` is a link to a folder of its own under
    `/var/lib/callboard`: opening up the folders above the home is not ours to do.

    Raises:
        Unavailable: it cannot be made.
    """
    place = home / "postgresql"
    try:
        if place.is_symlink():
            return _make(place.readlink(), account)
        if place.exists() or not account.dropped or account.can_enter(home):
            return _make(place, account)
        OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
        outside = _make(OUTSIDE / f"{home.parent.name or 'root'}-{secrets.token_hex(4)}", account)
        place.symlink_to(outside)
    except OSError as error:
        raise Unavailable(
            f"PostgreSQL's files cannot be kept in {place} ({error.strerror}: {error.filename}): "
            "set CALLBOARD_HOME to a folder that this user can write."
        ) from None
    if not account.can_enter(outside):
        raise Unavailable(
            f"User {account.name}, under which root runs PostgreSQL, can reach neither {home} nor {outside}: "
            "set CALLBOARD_HOME to a folder that every user can reach, or run as an ordinary user."
        )
    return outside


def _make(folder: Path, account: Account) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True)
        account.own(folder)
    except FileExistsError:
        owner = folder.stat().st_uid
        if owner != account.uid:
            raise Unavailable(
                f"The folder {folder} belongs to user {user_name(owner)}: run Callboard as that user, "
                "or set CALLBOARD_HOME to another folder."
            ) from None
    return folder
