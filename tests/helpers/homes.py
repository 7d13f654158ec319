"""Temporary folders for servers: of a short path, and reachable by the user that root hands PostgreSQL to."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Where there is room, files of servers that keep nothing are kept in memory: a database is made there in a
#: twentieth of the time that it takes on a disk.
MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3


def memory() -> Path | None:
    """A folder in memory with room to spare; None where there is none."""
    if not os.access(MEMORY, os.W_OK | os.X_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    return MEMORY


@contextmanager
def short_folder(under: Path | None = None) -> Iterator[Path]:
    """A new folder directly under that one, by default the system's temporary folder; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cb-", dir=under))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
