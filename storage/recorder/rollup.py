"""Adds events up by minute, hour and day."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from callboard.core.histogram import bucket

WIDTHS = (60, 3600, 86400)

#: The columns of `callboard.rollups` that the recorder writes, in the order in which a row is built.
ROLLUP_COLUMNS = (
    "width_s", "bucket", "job", "queue", "started", "succeeded", "failed", "cancelled", "cancelled_running",
    "skipped", "dead", "retried", "duration_sum_ms", "duration_min_ms", "duration_max_ms", "wait_sum_ms",
    "wait_max_ms", "duration_hist", "wait_hist", "last_run_at", "last_success_at", "last_failure_at",
)  # fmt: skip


class Counts(NamedTuple):
    """What one event of one run adds."""

    job: str
    queue: str
    state: str
    attempt: int
    started: datetime | None
    finished: datetime
    duration_ms: int | None
    wait_ms: int | None


@dataclass(slots=True)
class Cell:
    """One row of the rollups in the making."""

    counts: dict[str, int] = field(default_factory=dict)
    duration_sum: int = 0
    duration_min: int | None = None
    duration_max: int | None = None
    wait_sum: int = 0
    wait_max: int | None = None
    durations: dict[int, int] = field(default_factory=dict)
    waits: dict[int, int] = field(default_factory=dict)
    last: dict[str, datetime] = field(default_factory=dict)

    def count(self, name: str) -> None:
        """Count one more."""
        self.counts[name] = self.counts.get(name, 0) + 1

    def remember(self, name: str, at: datetime) -> None:
        """Keep the latest moment."""
        if name not in self.last or self.last[name] < at:
            self.last[name] = at


def rollup_rows(counts: Iterable[Counts]) -> list[tuple[Any, ...]]:
    """The rows to add, for all widths, in the order of their keys so that writers cannot deadlock."""
    minutes: dict[tuple[datetime, str, str], Cell] = {}
    for item in counts:
        _add(minutes, item)
    cells: dict[tuple[int, datetime, str, str], Cell] = {}
    for (minute, job, queue), cell in minutes.items():
        for width in WIDTHS:
            key = (width, _floor(minute, width), job, queue)
            into = cells.get(key)
            cells[key] = _copy(cell) if into is None else _merge(into, cell)
    return [_row(key, cell) for key, cell in sorted(cells.items(), key=lambda item: item[0])]


def _add(minutes: dict[tuple[datetime, str, str], Cell], item: Counts) -> None:
    if item.started is not None and item.attempt == 1:
        cell = minutes.setdefault((_floor(item.started, 60), item.job, item.queue), Cell())
        cell.count("started")
        cell.remember("run", item.started)
    cell = minutes.setdefault((_floor(item.finished, 60), item.job, item.queue), Cell())
    if item.state == "pending":
        cell.count("retried")
        return
    cell.count(item.state)
    if item.state == "cancelled" and item.started is not None:
        cell.count("cancelled_running")
    if item.state == "succeeded":
        cell.remember("success", item.finished)
    elif item.state in ("failed", "dead"):
        cell.remember("failure", item.finished)
    if item.state not in ("succeeded", "failed"):
        return
    if (ms := item.duration_ms) is not None:
        cell.duration_sum += ms
        cell.duration_min = ms if cell.duration_min is None else min(cell.duration_min, ms)
        cell.duration_max = ms if cell.duration_max is None else max(cell.duration_max, ms)
        place = bucket(ms)
        cell.durations[place] = cell.durations.get(place, 0) + 1
    if (ms := item.wait_ms) is not None:
        cell.wait_sum += ms
        cell.wait_max = ms if cell.wait_max is None else max(cell.wait_max, ms)
        place = bucket(ms)
        cell.waits[place] = cell.waits.get(place, 0) + 1


def _copy(cell: Cell) -> Cell:
    return _merge(Cell(), cell)


def _merge(into: Cell, cell: Cell) -> Cell:
    for mine, theirs in (
        (into.counts, cell.counts),
        (into.durations, cell.durations),
        (into.waits, cell.waits),
    ):
        _add_up(mine, theirs)
    into.duration_sum += cell.duration_sum
    into.wait_sum += cell.wait_sum
    into.duration_min = _pick(min, into.duration_min, cell.duration_min)
    into.duration_max = _pick(max, into.duration_max, cell.duration_max)
    into.wait_max = _pick(max, into.wait_max, cell.wait_max)
    for name, at in cell.last.items():
        into.remember(name, at)
    return into


def _add_up(into: dict[Any, int], counts: dict[Any, int]) -> None:
    for key, count in counts.items():
        into[key] = into.get(key, 0) + count


def _pick(choose: Any, one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return choose(known) if known else None


def _floor(at: datetime, width: int) -> datetime:
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % width, UTC)


def _row(key: tuple[int, datetime, str, str], cell: Cell) -> tuple[Any, ...]:
    counted = [cell.counts.get(name, 0) for name in ROLLUP_COLUMNS[4:12]]
    return (
        *key, *counted, cell.duration_sum, cell.duration_min, cell.duration_max, cell.wait_sum, cell.wait_max,
        _array(cell.durations), _array(cell.waits),
        cell.last.get("run"), cell.last.get("success"), cell.last.get("failure"),
    )  # fmt: skip


def _array(counts: dict[int, int]) -> list[int]:
    """A histogram as long as its last bucket that is not empty."""
    return [counts.get(place, 0) for place in range(max(counts) + 1)] if counts else []
