"""What runs waited for, part by part, and which jobs held the threads meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from callboard.core.holds import CAUSES, HELD_BY, Cause

Part = Literal["lag", "delay", Cause, "held", "worker", "queue", "hand"]
#: What each part is, in the order in which a run goes through them. `held` is what was held back by causes
#: that nobody noted, and `queue` stands for that and `worker` together where they cannot be told apart.
PARTS: Final[dict[Part, str]] = {
    "lag": "Scheduler's lag",
    "delay": "Delay asked for",
    "pause": "Held: paused",
    "mutex": "Held: mutex",
    "limit": "Held: limit",
    "breaker": "Held: breaker",
    "overlap": "Held: overlap",
    "held": "Held back",
    "worker": "Waiting for a worker",
    "queue": "In the queue",
    "hand": "In a worker's hand",
}
EXPLAINED: Final[dict[Part, str]] = {
    "lag": "from the moment that a schedule names to the message",
    "delay": "until the time that the message was sent for",
    **{cause: f"by {words}" for cause, words in HELD_BY.items()},
    "held": "by a pause, a mutex, a limit or a breaker",
    "worker": "until a worker fetched it",
    "queue": "held back, or until a worker fetched it",
    "hand": "fetched, until a thread was free to start it",
}


#: The share of a job's seconds from which on what is more than usual is worth a word.
NOTABLE = 0.1


@dataclass(frozen=True, slots=True)
class Waited:
    """Sums (ms) over the `runs` whose wait counts; `wait_ms` is from ready to start, `hand_ms` the end of it.

    `held_ms` is what was noted of why they were held back. `parked` and `depth` are how many runs were held
    back and how many waited for a worker on average over the time; None where that is not known of all of it.
    """

    runs: int
    lag_ms: float
    delay_ms: float
    wait_ms: float
    hand_ms: float
    parked: float | None = None
    depth: float | None = None
    held_ms: Mapping[Cause, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WaitPart:
    """One part: what a run waited for it on average (ms), and its share (0 to 1) of the whole."""

    part: Part
    mean_ms: float
    share: float


@dataclass(frozen=True, slots=True)
class Blame:
    """A job that held threads: for how many seconds, which is what share (0 to 1) of what the queue took.

    `usual_s` is what it takes in such a time usually, None where that is not known.
    """

    job: str
    busy_s: float
    share: float
    usual_s: float | None = None

    @property
    def excess_s(self) -> float | None:
        """The seconds more than usually."""
        return None if self.usual_s is None else self.busy_s - self.usual_s

    @property
    def notable_s(self) -> float:
        """The same where it is worth a word, else 0."""
        excess = self.excess_s or 0.0
        return excess if excess > NOTABLE * self.busy_s else 0.0


def wait_parts(waited: Waited) -> tuple[WaitPart, ...]:
    """The parts that a run's wait was made of, in their order; empty where no run's wait is known.

    What passes between ready and fetched is told apart by what was noted of it: the rest is the wait for a
    worker. Where nothing was, Little's law tells: the time that runs spend held back is to the time that they
    wait for a worker as the numbers of those that did so on average.
    """
    if not waited.runs:
        return ()
    queue = max(0.0, waited.wait_ms - waited.hand_ms)
    sums: dict[Part, float] = {"lag": waited.lag_ms, "delay": waited.delay_ms}
    noted = {cause: waited.held_ms[cause] for cause in CAUSES if waited.held_ms.get(cause, 0) > 0}
    if noted:
        # Clocks differ, and two causes may hold at once: together they are never more than there is.
        fits = min(1.0, queue / sum(noted.values()))
        sums.update({cause: ms * fits for cause, ms in noted.items()})
        sums["worker"] = max(0.0, queue - sum(noted.values()))
    elif waited.parked is None or waited.depth is None:
        sums["queue"] = queue
    else:
        together = waited.parked + waited.depth
        sums["held"] = queue * waited.parked / together if together else 0.0
        sums["worker"] = max(0.0, queue - sums["held"])
    sums["hand"] = min(waited.hand_ms, waited.wait_ms)
    whole = sum(sums.values())
    return tuple(
        WaitPart(part, sums[part] / waited.runs, sums[part] / whole if whole else 0.0)
        for part in PARTS
        if part in sums
    )


def blame(busy_s: Mapping[str, float], usual_s: Mapping[str, float]) -> tuple[Blame, ...]:
    """Which jobs held the threads: first those that did so notably more than usually, then by the seconds."""
    whole = sum(busy_s.values())
    found = [
        Blame(job, seconds, seconds / whole, usual_s.get(job))
        for job, seconds in busy_s.items()
        if seconds > 0
    ]
    return tuple(sorted(found, key=lambda each: (-each.notable_s, -each.busy_s, each.job)))
