"""Folders for unix sockets, whose paths the kernel limits to about a hundred bytes."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from callboard.core.errors import Unavailable
from callboard.storage.embedded.account import Account

#: Bytes of the longest socket path on every system we run on (macOS 103, Linux 107).
MAX_PATH = 103


def socket_folder(wanted: Path, socket: str, account: Account) -> Path:
    """The folder `wanted`, or a short one among the temporary files where `wanted/socket` is too long.

    A comma is as bad, since PostgreSQL's clients take it for the end of one host's name.

    It is made if it is not there, closed to all but its account.

    Raises:
        Unavailable: somebody else owns the short folder.
    """
    folder = wanted
    if len(os.fsencode(wanted / socket)) > MAX_PATH or "," in str(wanted):
        digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
        folder = _short_root() / f"callboard-{account.uid}-{digest}"
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except FileExistsError:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != account.uid:
            raise Unavailable(
                f"The folder {folder} belongs to somebody else: "
                "remove it, or set CALLBOARD_HOME to a shorter path."
            ) from None
        folder.chmod(0o700)
    return folder


def _short_root() -> Path:
    named = Path(tempfile.gettempdir())
    return named if len(os.fsencode(named)) < 40 else Path("/tmp")  # noqa: S108
