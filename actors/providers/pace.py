"""When to call a service outside: not too often, and again after a while if it could not answer."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import random

from callboard.core.clock import utcnow

#: Seconds: the first wait of a series that doubles, and its longest.
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 8.0
#: What a service may ask to be left alone for; more is taken for nonsense.
LONGEST_RETRY_AFTER_S = 3_600.0
#: A sleeping thread looks up so often: a time limit or a stop interrupts it between two steps of Python only.
SLICE_S = 0.1


@dataclass(slots=True)
class Pace:
    """Lets `per_second` calls through a second, from any number of threads; one second's at once."""

    per_second: float
    now: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _free_at: float = field(default=float("-inf"), repr=False)

    def wait_s(self) -> float:
        """Take the next place, and say in how many seconds its turn comes."""
        with self._lock:
            now = self.now()
            # Places that nobody took in the last second may be taken at once, older ones are gone.
            self._free_at = max(self._free_at, now - 1.0) + 1.0 / self.per_second
            return max(0.0, self._free_at - now)


def retry_after_s(header: str | None, now: Callable[[], datetime] = utcnow) -> float | None:
    """The seconds that a `Retry-After` header asks for, be it a number or an HTTP date; None for nonsense."""
    text = (header or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now()).total_seconds()
    if seconds != seconds:
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def backoff_s(failures: int, chance: Callable[[], float] = random) -> float:
    """The wait after so many failures, from 1 on: it doubles, and chance takes off up to a half."""
    return min(FIRST_WAIT_S * 2.0 ** min(failures - 1, 16), LONGEST_WAIT_S) * (1.0 - chance() / 2.0)


def sleep(seconds: float) -> None:
    """Sleep, and stay interruptible."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, SLICE_S))
