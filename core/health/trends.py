"""How a queue or a job came to where it is: points over time, and each figure against the window before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callboard.core.histogram import merge, percentile

Direction = Literal["rising", "falling", "steady", "unknown"]
#: A change by less than this share is none.
STEADY = 0.2


@dataclass(frozen=True, slots=True)
class Cell:
    """What ended within one bucket of time; the histograms are those of `core.histogram`."""

    at: datetime
    finished: int
    failed: int
    duration: Sequence[int] = ()
    wait: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of a bucket, or of a whole window: percentiles in ms, None without data."""

    at: datetime
    finished: int
    failed: int
    failure_rate: float | None
    duration_p50_ms: float | None
    duration_p95_ms: float | None
    duration_p99_ms: float | None
    wait_p50_ms: float | None
    wait_p95_ms: float | None
    wait_p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual figures of a bucket: runs that finish in it, a share 0 to 1, and ms; None where not known."""

    finished: float | None = None
    failure_rate: float | None = None
    wait_p95_ms: float | None = None
    duration_p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One figure now and in the window before."""

    figure: str
    now: float | None
    before: float | None
    direction: Direction


@dataclass(frozen=True, slots=True)
class Trend:
    """The points of the window, oldest first, the whole of it, and how it differs from the one before.

    `usual` has what is usual for each of the points; it is empty where nobody asked.
    """

    points: tuple[Point, ...]
    total: Point | None
    changes: tuple[Change, ...]
    usual: tuple[Usual, ...] = ()


def trend(cells: Sequence[Cell], before: Sequence[Cell], usual: Sequence[Usual] = ()) -> Trend:
    """The trend of these buckets, against those of the window before."""
    total, earlier = _total(cells), _total(before)
    names = {
        "throughput": "finished",
        "failure_rate": "failure_rate",
        "wait_p95_ms": "wait_p95_ms",
        "duration_p95_ms": "duration_p95_ms",
    }
    changes = tuple(
        _change(name, getattr(total, field, None), getattr(earlier, field, None))
        for name, field in names.items()
    )
    return Trend(tuple(point(cell) for cell in cells), total, changes, tuple(usual))


def point(cell: Cell) -> Point:
    """The figures of one bucket."""
    durations = [percentile(cell.duration, q) for q in (0.5, 0.95, 0.99)]
    waits = [percentile(cell.wait, q) for q in (0.5, 0.95, 0.99)]
    rate = cell.failed / cell.finished if cell.finished else None
    return Point(cell.at, cell.finished, cell.failed, rate, *durations, *waits)


def _total(cells: Sequence[Cell]) -> Point | None:
    if not cells:
        return None
    return point(
        Cell(
            cells[0].at,
            sum(each.finished for each in cells),
            sum(each.failed for each in cells),
            merge(*(each.duration for each in cells)),
            merge(*(each.wait for each in cells)),
        )
    )


def _change(figure: str, now: float | None, before: float | None) -> Change:
    direction: Direction = "steady"
    if now is None or before is None:
        direction = "unknown"
    elif now > before * (1 + STEADY):
        direction = "rising"
    elif now < before * (1 - STEADY):
        direction = "falling"
    return Change(figure, now, before, direction)
