"""Servers that do not answer: said once when it begins, once when it ends, and asked ever more slowly."""

import random
import threading
import time

from callboard.core.logging import get_logger

log = get_logger(__name__)

#: Seconds between two attempts: at first, and at most.
SHORTEST = 0.1
LONGEST = 2.0


class Outage:
    """Whether one server answers, as far as this process has noticed. Shared by its threads."""

    def __init__(self, server: str) -> None:
        self.server = server
        self._lock = threading.Lock()
        self._since: float | None = None
        self._failures = 0

    @property
    def open(self) -> bool:
        """Whether the server is known not to answer."""
        return self._since is not None

    def failed(self, error: Exception) -> float:
        """Note that the server did not answer. Returns for how many seconds to leave it alone."""
        with self._lock:
            first = self._since is None
            if self._since is None:
                self._since = time.monotonic()
            self._failures += 1
            failures = self._failures
        if first:
            log.warning(
                "A server does not answer; trying again until it does.",
                action="server_away",
                server=self.server,
                error=_first_line(error),
            )
        pause = min(LONGEST, SHORTEST * 2.0 ** min(failures - 1, 10))
        return pause * random.uniform(0.5, 1.0)  # noqa: S311

    def over(self) -> bool:
        """Note that the server has answered. Returns whether that ends an outage."""
        if self._since is None:
            return False
        with self._lock:
            since, self._since, self._failures = self._since, None, 0
        if since is None:
            return False
        log.info(
            "A server answers again.",
            action="server_back",
            server=self.server,
            after_s=round(time.monotonic() - since, 1),
        )
        return True


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
