"""Adds events up by minute, hour and day."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from callboard.core.histogram import bucket
from callboard.core.holds import CAUSES, Cause

WIDTHS = (60, 3600, 86400)

#: The columns of `callboard.rollups`, in the order in which a row is built. `bucket` is in s since the epoch,
#: the moments are in ms.
ROLLUP_COLUMNS = (
    "width_s", "bucket", "job", "queue", "started", "succeeded", "failed", "cancelled", "cancelled_running",
    "skipped", "dead", "retried", "duration_sum_ms", "duration_min_ms", "duration_max_ms", "wait_sum_ms",
    "wait_max_ms", "duration_hist", "wait_hist", "last_run_at", "last_success_at", "last_failure_at",
    "busy_sum_ms", "lag_sum_ms", "delay_sum_ms", "hand_sum_ms", *(f"held_{cause}_ms" for cause in CAUSES),
)  # fmt: skip
COUNTED = ROLLUP_COLUMNS[4:12]
#: The columns of `callboard.queue_rollups`, in the order in which a row is built.
QUEUE_COLUMNS = (
    "width_s", "bucket", "queue", "finished", "failed", "duration_hist", "wait_hist", "wait_sum_ms",
    "lag_sum_ms", "delay_sum_ms", "hand_sum_ms", *(f"held_{cause}_ms" for cause in CAUSES),
)  # fmt: skip
HELD = ROLLUP_COLUMNS[-len(CAUSES) :]


class Counts(NamedTuple):
    """What one event of one run adds. Times are ms since the epoch."""

    job: str
    queue: str
    state: str
    attempt: int
    started: int | None
    finished: int
    duration_ms: int | None
    wait_ms: int | None
    #: What came before the wait, from the slot to the message and from there to the end of its delay, and the
    #: part of the wait that passed in a worker's hand.
    lag_ms: int = 0
    delay_ms: int = 0
    hand_ms: int = 0
    #: The parts of the wait in which it was held back, by cause.
    held_ms: Mapping[Cause, int] = {}


class Cell:
    """One row of the rollups in the making."""

    __slots__ = (
        "busy", "counts", "delay", "durations", "hand", "held", "lag", "last_failure", "last_run",
        "last_success", "waits",
    )  # fmt: skip

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        #: How often each duration and each wait (ms) occurred: most are among a few small numbers.
        self.durations: Counter[int] = Counter()
        self.waits: Counter[int] = Counter()
        #: What attempts took (ms) in threads, whatever came of them.
        self.busy = 0
        self.lag = 0
        self.delay = 0
        self.hand = 0
        self.held: Counter[Cause] = Counter()
        self.last_run = 0
        self.last_success = 0
        self.last_failure = 0

    @property
    def finished(self) -> int:
        """How many runs ended with what they set out to do, or failed at it."""
        return self.counts["succeeded"] + self.failed

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return self.counts["failed"] + self.counts["dead"]

    def merge(self, other: "Cell") -> None:
        """Add another one."""
        self.counts.update(other.counts)
        self.durations.update(other.durations)
        self.waits.update(other.waits)
        self.busy += other.busy
        self.lag += other.lag
        self.delay += other.delay
        self.hand += other.hand
        self.held.update(other.held)
        self.last_run = max(self.last_run, other.last_run)
        self.last_success = max(self.last_success, other.last_success)
        self.last_failure = max(self.last_failure, other.last_failure)


class Rows(NamedTuple):
    """Rows to add, for all widths, in the order of their keys so that writers cannot deadlock."""

    rollups: list[tuple[Any, ...]]
    queue_rollups: list[tuple[Any, ...]]


def rollup_rows(counts: Iterable[Counts]) -> Rows:
    """What events add to the rollups, by job and queue, and by queue alone."""
    minutes: dict[tuple[int, str, str], Cell] = {}
    for item in counts:
        _add(minutes, item)
    cells: dict[tuple[int, int, str, str], Cell] = {}
    for (minute, job, queue), cell in minutes.items():
        for width in WIDTHS:
            start = minute * 60
            cells.setdefault((width, start - start % width, job, queue), Cell()).merge(cell)
    queues: dict[tuple[int, int, str], Cell] = {}
    for (width, start, _, queue), cell in cells.items():
        queues.setdefault((width, start, queue), Cell()).merge(cell)
    return Rows(
        [_row(key, cell) for key, cell in sorted(cells.items())],
        [_queue_row(key, cell) for key, cell in sorted(queues.items()) if cell.finished],
    )


def _add(minutes: dict[tuple[int, str, str], Cell], item: Counts) -> None:
    job, queue, state, attempt, started, finished, duration, wait, lag, delay, hand, held = item
    key = (finished // 60_000, job, queue)
    cell = minutes.get(key)
    if cell is None:
        cell = minutes[key] = Cell()
    cell.busy += duration or 0
    if state == "pending":
        cell.counts["retried"] += 1
    else:
        cell.counts[state] += 1
        if state in ("succeeded", "failed"):
            if duration is not None:
                cell.durations[duration] += 1
            if wait is not None:
                cell.waits[wait] += 1
                cell.lag += lag
                cell.delay += delay
                cell.hand += hand
                if held:
                    cell.held.update(held)
        elif state == "cancelled" and (started is not None or attempt > 1):
            cell.counts["cancelled_running"] += 1
        if state == "succeeded":
            cell.last_success = max(cell.last_success, finished)
        elif state in ("failed", "dead"):
            cell.last_failure = max(cell.last_failure, finished)
    if started is not None and attempt == 1:
        if started // 60_000 != key[0]:
            cell = minutes.setdefault((started // 60_000, job, queue), Cell())
        cell.counts["started"] += 1
        cell.last_run = max(cell.last_run, started)


def _row(key: tuple[int, int, str, str], cell: Cell) -> tuple[Any, ...]:
    durations, waits = cell.durations, cell.waits
    return (
        *key, *(cell.counts[name] for name in COUNTED),
        _total(durations), min(durations, default=None), max(durations, default=None),
        _total(waits), max(waits, default=None), _histogram(durations), _histogram(waits),
        cell.last_run or None, cell.last_success or None, cell.last_failure or None,
        cell.busy, cell.lag, cell.delay, cell.hand, *_held(cell),
    )  # fmt: skip


def _queue_row(key: tuple[int, int, str], cell: Cell) -> tuple[Any, ...]:
    return (
        *key, cell.finished, cell.failed, _histogram(cell.durations), _histogram(cell.waits),
        _total(cell.waits), cell.lag, cell.delay, cell.hand, *_held(cell),
    )  # fmt: skip


def _held(cell: Cell) -> Iterable[int | None]:
    return (cell.held[cause] or None for cause in CAUSES)


def _total(occurred: Counter[int]) -> int:
    return sum(ms * times for ms, times in occurred.items())


def _histogram(occurred: Counter[int]) -> str:
    """An array literal as long as the last bucket that is not empty."""
    counts: Counter[int] = Counter()
    for ms, times in occurred.items():
        counts[bucket(ms)] += times
    length = max(counts) + 1 if counts else 0
    return "{" + ",".join(str(counts[place]) for place in range(length)) + "}"
