"""What is known of a queue: the present, and a window of time against the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from callboard.core.holds import Cause


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on something counts as amiss. Shares are 0 to 1, times in ms."""

    score: float = 0.5
    failure_rate: float = 0.1
    waiting_jobs: int = 100
    processing_ms: float = 30_000
    #: The wait that 95 % of the runs should not exceed.
    wait_ms: float = 60_000


@dataclass(frozen=True, slots=True)
class JobFacts:
    """One job of the queue in the window: `busy_s` is the time that its runs took together.

    The two baselines are those of a longer time before the trouble; None where it ran too little then.
    `queue` is named where it is another one, which shares threads; `busy_s` is then what it took of those.
    """

    job: str
    finished: int
    busy_s: float
    p95_ms: float | None = None
    baseline_p95_ms: float | None = None
    baseline_rate: float | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What one pause, mutex, limit or breaker, by its name, holds back now; `since` is when it began to."""

    cause: Cause
    name: str
    runs: int
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Minute:
    """What became of a job's runs within one minute; the histogram is that of `core.histogram`."""

    at: datetime
    job: str
    started: int
    finished: int
    failed: int
    retried: int
    duration: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """One queue. Counts are those of the window unless said otherwise, rates per second.

    `depth` is what is due and waits now, `parked` what is held back now, `held` by what; `growth` by how much
    the depth grew a second, `starts_before` how many runs began in the window before. `waited_ms` is what all
    runs waited together, `held_ms` for how long of that they were held back, by cause.
    `taken_s` is the time that runs of other queues took of this one's `slots`, `neighbours` their jobs.
    `pool` are the queues that share workers with it, itself included.
    `since` is when work began to wait without a break, as far as that is known, and `usual_mean_s` what a run
    took on average in a longer time before. `minutes` are those of the window and of the one before it.
    """

    queue: str
    window_s: float
    finished: int = 0
    failed: int = 0
    started: int = 0
    starts_before: int = 0
    retried: int = 0
    wait_p95_ms: float | None = None
    duration_p95_ms: float | None = None
    jobs: tuple[JobFacts, ...] = ()
    baseline_rate: float | None = None
    usual_mean_s: float | None = None
    depth: int = 0
    parked: int = 0
    held: tuple[Held, ...] = ()
    waited_ms: float = 0.0
    held_ms: Mapping[Cause, float] = field(default_factory=dict)
    oldest_due_ms: float = 0
    growth: float = 0.0
    dead_growth: int = 0
    workers: int = 0
    slots: int = 0
    taken_s: float = 0.0
    neighbours: tuple[JobFacts, ...] = ()
    pool: tuple[str, ...] = ()
    paused: str | None = None
    paused_at: datetime | None = None
    since: datetime | None = None
    minutes: tuple[Minute, ...] = ()

    @property
    def busy_s(self) -> float:
        """The seconds that threads spent on this queue."""
        return sum(each.busy_s for each in self.jobs)

    @property
    def failure_rate(self) -> float:
        """The share of the finished runs that failed."""
        return min(1.0, self.failed / self.finished) if self.finished else 0.0

    @property
    def completions(self) -> float:
        """Runs that finish a second."""
        return self.finished / self.window_s

    @property
    def arrivals(self) -> float:
        """Runs that arrive a second: what is finished, and what is added to the backlog."""
        return max(0.0, self.completions + self.growth)

    @property
    def mean_s(self) -> float | None:
        """The seconds of a thread that a run takes on average, or usually takes where none finished."""
        return self.busy_s / self.finished if self.finished and self.busy_s else self.usual_mean_s

    @property
    def capacity(self) -> float | None:
        """Runs a second that the threads can finish at most; None where no run tells how long one takes.

        Threads that other queues keep busy are not counted.
        """
        return max(0.0, self.slots - self.taken) / self.mean_s if self.mean_s else None

    @property
    def taken(self) -> float:
        """How many threads other queues kept busy on average."""
        return self.taken_s / self.window_s

    @property
    def utilisation(self) -> float:
        """The share of the threads' time that was spent, on whichever queue, 0 to 1."""
        spent = self.busy_s + self.taken_s
        return min(1.0, spent / (self.slots * self.window_s)) if self.slots else 0.0

    @property
    def wait_ms(self) -> float:
        """The longer of the wait of most runs and that of what waits now."""
        return max(self.wait_p95_ms or 0.0, self.oldest_due_ms)
