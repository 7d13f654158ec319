"""What a running instance leaves in its home for other commands to find it by: `<home>/instance.json`."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "instance.json"
#: Locked by the running instance for as long as it, or anything that it started, lives.
LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Instance:
    """Where a running instance is. `pid` is the process that started it; it may have no sandbox."""

    pid: int
    database_url: str
    redis_url: str
    api_url: str
    panel_url: str
    sandbox_url: str = ""
    sandbox_smtp_url: str = ""


def write_instance(home: Path, instance: Instance) -> None:
    """Write the file, readable by the owner alone, in one step."""
    aside = home / f"{FILE}.{os.getpid()}"
    # What a crash left there under the same process id would lend its mode.
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(instance), file)
    aside.replace(home / FILE)


def read_instance(home: Path) -> Instance | None:
    """The instance running in that home; None where there is none, it has died, or it is another user's."""
    try:
        instance = Instance(**json.loads((home / FILE).read_text(encoding="utf-8")))
        if instance.pid < 1:
            return None
        os.kill(instance.pid, 0)
        # After a crash the process id may be somebody else's; the lock is nobody's then.
        return instance if _locked(home / LOCK) else None
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return None


def remove_instance(home: Path) -> None:
    """Remove the file, if it is there."""
    (home / FILE).unlink(missing_ok=True)


def _locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
