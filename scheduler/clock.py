"""What time it is, for a scheduler.

Slots are judged by the host's clock: asking costs nothing, and waking up for an instant needs it. But
several schedulers must agree, with each other and with what SQL calls `now()`. So the distance to the
database's clock is measured again and again, and where it exceeds a second, the database's clock holds.

A step is what moves the wall clock and not the monotonic one: somebody set it, or the machine slept. After
one, nothing is decided before the distance has been measured again.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: Seconds by which the two clocks may differ before the database's holds.
TOLERANCE = 1.0
#: Seconds that the wall clock may gain or lose between two looks before that counts as a step.
STEP = 1.0
#: Seconds from which on a step is worth an alert.
ALARMING = 60.0


class Clock:
    """The host's clock, kept in step with the database's."""

    def __init__(
        self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._drift = wall() - monotonic()
        self._correction = 0.0
        #: Seconds by which the database's clock is ahead of the host's, when last measured.
        self.offset = 0.0

    def now(self) -> datetime:
        """The present time, aware, in UTC."""
        return datetime.fromtimestamp(self._wall() + self._correction, UTC)

    def seconds_until(self, moment: datetime) -> float:
        """How long it is until a moment; negative once it has passed."""
        return moment.timestamp() - self._wall() - self._correction

    def stepped(self) -> bool:
        """Whether the wall clock has been stepped since `take_step` was last called."""
        return abs(self._wall() - self._monotonic() - self._drift) > STEP

    def take_step(self) -> float:
        """Seconds by which the wall clock has been stepped since last asked; 0.0 for the usual drift."""
        drift = self._wall() - self._monotonic()
        step = drift - self._drift
        self._drift = drift
        return step if abs(step) > STEP else 0.0

    def measure(self, database_time: Callable[[], datetime]) -> float:
        """Measure the distance to the database's clock, in seconds, and heed it."""
        asked = self._wall()
        answer = database_time().timestamp()
        answered = self._wall()
        # True at some time between asking and hearing it: the least distance that fits is taken.
        self.offset = answer - min(max(answer, asked), answered)
        self._correction = self.offset if abs(self.offset) > TOLERANCE else 0.0
        return self.offset

    @property
    def follows_database(self) -> bool:
        """Whether the host's clock is so far off that the database's holds."""
        return self._correction != 0.0


def alarming(step: float) -> bool:
    """Whether a step of so many seconds is worth an alert."""
    return abs(step) >= ALARMING


def describe_step(step: float) -> str:
    """A sentence that says by how much the clock was stepped."""
    direction = "forward" if step > 0 else "back"
    return f"The clock of this host was stepped {direction} by {timedelta(seconds=round(abs(step)))}."
