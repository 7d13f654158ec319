"""Adds events up by minute, hour and day."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from callboard.core.histogram import bucket

WIDTHS = (60, 3600, 86400)

#: The columns of `callboard.rollups`, in the order in which a row is built. `bucket` is in s since the epoch,
#: the last three are in ms.
ROLLUP_COLUMNS = (
    "width_s", "bucket", "job", "queue", "started", "succeeded", "failed", "cancelled", "cancelled_running",
    "skipped", "dead", "retried", "duration_sum_ms", "duration_min_ms", "duration_max_ms", "wait_sum_ms",
    "wait_max_ms", "duration_hist", "wait_hist", "last_run_at", "last_success_at", "last_failure_at",
)  # fmt: skip
COUNTED = ROLLUP_COLUMNS[4:12]


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


class Cell:
    """One row of the rollups in the making."""

    __slots__ = ("counts", "durations", "last_failure", "last_run", "last_success", "waits")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        #: How often each duration and each wait (ms) occurred: most are among a few small numbers.
        self.durations: Counter[int] = Counter()
        self.waits: Counter[int] = Counter()
        self.last_run = 0
        self.last_success = 0
        self.last_failure = 0

    def merge(self, other: "Cell") -> None:
        """Add another one."""
        self.counts.update(other.counts)
        self.durations.update(other.durations)
        self.waits.update(other.waits)
        self.last_run = max(self.last_run, other.last_run)
        self.last_success = max(self.last_success, other.last_success)
        self.last_failure = max(self.last_failure, other.last_failure)


def rollup_rows(counts: Iterable[Counts]) -> list[tuple[Any, ...]]:
    """The rows to add, for all widths, in the order of their keys so that writers cannot deadlock."""
    minutes: dict[tuple[int, str, str], Cell] = {}
    for item in counts:
        _add(minutes, item)
    cells: dict[tuple[int, int, str, str], Cell] = {}
    for (minute, job, queue), cell in minutes.items():
        for width in WIDTHS:
            start = minute * 60
            cells.setdefault((width, start - start % width, job, queue), Cell()).merge(cell)
    return [_row(key, cell) for key, cell in sorted(cells.items())]


def _add(minutes: dict[tuple[int, str, str], Cell], item: Counts) -> None:
    job, queue, state, attempt, started, finished, duration, wait = item
    key = (finished // 60_000, job, queue)
    cell = minutes.get(key)
    if cell is None:
        cell = minutes[key] = Cell()
    if state == "pending":
        cell.counts["retried"] += 1
    else:
        cell.counts[state] += 1
        if state in ("succeeded", "failed"):
            if duration is not None:
                cell.durations[duration] += 1
            if wait is not None:
                cell.waits[wait] += 1
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
    )  # fmt: skip


def _total(occurred: Counter[int]) -> int:
    return sum(ms * times for ms, times in occurred.items())


def _histogram(occurred: Counter[int]) -> str:
    """An array literal as long as the last bucket that is not empty."""
    counts: Counter[int] = Counter()
    for ms, times in occurred.items():
        counts[bucket(ms)] += times
    length = max(counts) + 1 if counts else 0
    return "{" + ",".join(str(counts[place]) for place in range(length)) + "}"
