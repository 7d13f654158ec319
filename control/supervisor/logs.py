"""The parts' logs: `<home>/logs/<part>.log`, JSON lines, put aside when long."""

import json
import os
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

#: A file of more bytes is put aside as `.1`, the one before as `.2`.
MAX_BYTES = 10_000_000
KEPT = 3


class LogFile:
    """One part's log. A disk that takes no more loses lines and ends nothing."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._file: IO[bytes] | None = None

    def write(self, line: str) -> None:
        """Append a line."""
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.fdopen(
                    os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", 0
                )
            self._file.write(line.encode("utf-8", "replace") + b"\n")
            if self._file.tell() > self._max_bytes:
                self._turn()
        except OSError:
            self.close()

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _turn(self) -> None:
        self.close()
        for number in range(KEPT - 1, 0, -1):
            older = self.path if number == 1 else self.path.with_name(f"{self.path.name}.{number - 1}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number}"))


class Pump:
    """Reads what one process writes, and hands each line to its log and to `show`."""

    def __init__(self, part: str, source: IO[bytes], log: LogFile, show: Callable[[str, str], None]) -> None:
        self.part = part
        #: The last lines, for saying why the process died.
        self.tail: deque[str] = deque(maxlen=20)
        self._source = source
        self._log = log
        self._show = show
        self._thread = threading.Thread(target=self._run, name=f"log-{part}", daemon=True)
        self._thread.start()

    def finish(self, timeout: float = 2.0) -> None:
        """Wait until all that was written has been read; a grandchild that lives on may keep it open."""
        self._thread.join(timeout)

    def _run(self) -> None:
        with self._source:
            for raw in self._source:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                if not line:
                    continue
                self.tail.append(line)
                self._log.write(as_json(self.part, line))
                self._show(self.part, line)
        self._log.close()


def as_json(part: str, line: str) -> str:
    """The line, or where it is no JSON object, one that holds it."""
    if line.startswith("{") and line.endswith("}"):
        return line
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"timestamp": at, "level": "info", "event": line, "part": part}, ensure_ascii=False)


def event_of(line: str) -> str:
    """What a line says, in the words of its reason or exception where it has one."""
    try:
        fields = json.loads(line)
        if fields.get("exception"):
            return str(fields["exception"]).strip().splitlines()[-1]
        return str(fields.get("reason") or fields["event"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return line.strip()
