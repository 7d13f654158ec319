"""How a queue came to where it is: figures over an hour, a day or a week, against the time before."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, get_args

from callboard.control.context import Context
from callboard.control.reads.health import unknown_queue
from callboard.control.reads.windows import floor
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput
from callboard.core.health import Trend, trend
from callboard.core.health.trends import Cell
from callboard.core.histogram import merge
from callboard.storage.queries import Row, health, jobs

Span = Literal["hour", "day", "week"]

#: How many buckets a span has, how wide they are (s), and the width (s) of the rollups that they come from.
_BUCKETS: dict[Span, tuple[int, int, int]] = {
    "hour": (60, 60, 60),
    "day": (24, 3_600, 3_600),
    "week": (28, 21_600, 3_600),
}


def queue_trend(context: Context, name: str, span: Span = "day") -> Trend:
    """The trend of a queue: one point a bucket, without gaps; the last one is not over yet.

    Raises:
        NotFound: no declared job has a queue of that name.
        BadInput: the span is none of hour, day and week.
        Unavailable: PostgreSQL does not answer.
    """
    if span not in _BUCKETS:
        raise BadInput(f"The window is one of {', '.join(get_args(Span))}, not {str(span)[:50]!r}.")
    count, width_s, base_s = _BUCKETS[span]
    width = timedelta(seconds=width_s)
    until = floor(utcnow(), width_s) + width
    start = until - count * width
    with context.read() as connection:
        names = jobs.queues(connection)
        if name not in names:
            raise unknown_queue(name, names)
        rows = health.cells(connection, width_s=base_s, start=start - count * width, until=until, queue=name)
    found: dict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        found[floor(row["bucket"], width_s)].append(row)
    moments = [start + width * number for number in range(-count, count)]
    cells = [_cell(at, found[at]) for at in moments]
    return trend(cells[count:], cells[:count])


def _cell(at: datetime, rows: Iterable[Row]) -> Cell:
    taken = list(rows)
    return Cell(
        at,
        sum(row["finished"] for row in taken),
        sum(row["failed"] for row in taken),
        merge(*(row["duration_hist"] for row in taken)),
        merge(*(row["wait_hist"] for row in taken)),
    )
