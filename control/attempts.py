"""How many wrong tokens are borne from one address, counted in this process.

A token that was right lately goes on being taken: whoever shares an address with somebody who guesses is not
locked out by that.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from math import ceil
from typing import ClassVar, Final

from callboard.core.errors import NotAuthenticated

#: So many wrong tokens from one address within so many seconds are borne.
MOST: Final = 30
WINDOW_S: Final = 300.0
#: So many addresses, and tokens that were right, are remembered.
REMEMBERED: Final = 10_000


class TooManyAttempts(NotAuthenticated):
    """Too many failed of late; `retry_after_s` says when to come back."""

    status = 429
    what: ClassVar[str] = "wrong tokens came from this address"

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        minutes = ceil(retry_after_s / 60)
        super().__init__(f"Too many {self.what}; try again in {minutes} minute{'' if minutes == 1 else 's'}.")


class Attempts:
    """The wrong tokens of late by address, and the right ones by digest. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str | None, deque[float]] = OrderedDict()
        self._right: OrderedDict[bytes, float] = OrderedDict()

    def check(self, address: str | None, digest: bytes) -> None:
        """Raise TooManyAttempts where too many from that address were wrong, and this one was never right."""
        now = self._clock()
        with self._lock:
            failures = self._failures.get(address)
            if failures is None:
                return
            while failures and now - failures[0] >= WINDOW_S:
                failures.popleft()
            if not failures:
                del self._failures[address]
            elif len(failures) >= MOST and now - self._right.get(digest, now - WINDOW_S) >= WINDOW_S:
                raise TooManyAttempts(max(1, ceil(WINDOW_S - (now - failures[0]))))

    def fail(self, address: str | None) -> bool:
        """Note a wrong token; returns whether it was the last one that is borne."""
        with self._lock:
            failures = self._failures.setdefault(address, deque(maxlen=MOST))
            self._failures.move_to_end(address)
            failures.append(self._clock())
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)
            return len(failures) == MOST

    def succeed(self, digest: bytes) -> None:
        """Note a right token."""
        with self._lock:
            self._right[digest] = self._clock()
            self._right.move_to_end(digest)
            while len(self._right) > REMEMBERED:
                self._right.popitem(last=False)
