"""The alarm clock that Periodiq's loop waits on, instead of SIGALRM.

Periodiq's `Scheduler.loop` is `while self.alarm_q.get(block=True): self.schedule()`, with a queue into
which its signal handler puts True. This is that queue: it rings at an instant, precisely, or at once when
asked to, and ends the loop when stopped. It may be rung or stopped from any thread and from a signal
handler.
"""

import time
from datetime import datetime
from queue import Empty, SimpleQueue

from callboard.scheduler.clock import Clock

#: Seconds before the instant at which waiting for events ends and sleeping to the point begins.
LAST = 0.002
#: The longest uninterrupted wait, in seconds: the wall clock may be stepped meanwhile.
SLICE = 0.5


class Alarm:
    """Rings at an instant, or when asked to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # A SimpleQueue may be put to from a signal handler at any time; an Event might deadlock there.
        self._calls: SimpleQueue[bool] = SimpleQueue()
        self._instant: datetime | None = None
        self._stopped = False

    def set(self, instant: datetime | None) -> None:
        """Ring at that instant next; None is not before asked."""
        self._instant = instant

    def ring(self) -> None:
        """Ring now."""
        self._calls.put(True)

    def stop(self) -> None:
        """Ring no more: the loop ends."""
        self._stopped = True
        self._calls.put(False)

    @property
    def stopped(self) -> bool:
        """Whether the loop is to end."""
        return self._stopped

    def get(self, block: bool = True) -> bool:  # noqa: ARG002
        """Wait for the alarm. Returns True when it rings, False when it was stopped.

        Several calls, and the instant, ring together once. A step of the clock rings as well.
        """
        rung = False
        while not self._stopped:
            left = SLICE if self._instant is None else self._clock.seconds_until(self._instant)
            if rung or left <= 0 or self._clock.stepped():
                self._drain()
                return not self._stopped
            if left <= LAST:
                time.sleep(left)
                continue
            try:
                self._calls.get(timeout=min(left - LAST, SLICE))
                rung = True
            except Empty:
                pass
        return False

    def _drain(self) -> None:
        while not self._calls.empty():
            self._calls.get()
