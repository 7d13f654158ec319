"""How a queue or a job came to where it is: figures over time, against the time before and what is usual."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from callboard.control.context import Context
from callboard.control.reads.health import check_queue
from callboard.control.reads.names import unknown_job
from callboard.control.reads.spans import Grid, Span, grid
from callboard.control.reads.windows import floor
from callboard.core.health import Trend, Usual, trend, usual
from callboard.core.health.trends import Cell
from callboard.storage.queries import Row, health, jobs


def queue_trend(context: Context, name: str, span: Span = "day") -> Trend:
    """The trend of a queue: one point a bucket, without gaps; the last one is not over yet.

    Raises:
        NotFound: no declared job has a queue of that name.
        BadInput: the span is none of hour, day, week and 90days.
        Unavailable: PostgreSQL does not answer.
    """
    wanted = grid(span)
    with context.read() as connection:
        check_queue(connection, name)
        return _trend(connection, wanted, queue=name)


def job_trend(context: Context, name: str, span: Span = "day") -> Trend:
    """The same of a job, whatever queue its runs were in.

    Raises:
        NotFound: no job has that name.
        BadInput: the span is none of hour, day, week and 90days.
        Unavailable: PostgreSQL does not answer.
    """
    wanted = grid(span)
    with context.read() as connection:
        if name in jobs.names(connection):
            return _trend(connection, wanted, job=name)
    raise unknown_job(context, name)


def _trend(
    connection: Connection, wanted: Grid, *, queue: str | None = None, job: str | None = None
) -> Trend:
    rows = health.binned(
        connection,
        width=wanted.width,
        base_s=wanted.base_s,
        start=wanted.before,
        until=wanted.until,
        queue=queue,
        job=job,
    )
    found = {row["at"]: row for row in rows}
    moments = list(wanted.moments(wanted.before))
    cells = [_cell(at, found.get(at)) for at in moments]
    told = _usual(connection, wanted, queue=queue, job=job)
    per_point = [told[floor(at, wanted.usual_s)] for at in moments[wanted.count :]]
    return trend(cells[wanted.count :], cells[: wanted.count], per_point)


def _usual(
    connection: Connection, wanted: Grid, *, queue: str | None, job: str | None
) -> Mapping[datetime, Usual]:
    """By bucket of `Grid.cells`: what is usual for one bucket of the grid within it."""
    began = health.first(connection, queue=queue, job=job)
    if began is None:
        return dict.fromkeys(wanted.cells(), Usual())
    past = {cell: wanted.past(cell, began) for cell in wanted.cells()}
    buckets = {at for moments in past.values() for at in moments}
    rows = health.binned_at(
        connection,
        wanted.bases(buckets),
        width=timedelta(seconds=wanted.usual_s),
        base_s=wanted.usual_base_s,
        queue=queue,
        job=job,
    )
    found = {row["at"]: row for row in rows}
    share = wanted.width_s / wanted.usual_s
    return {
        cell: usual([_cell(at, found.get(at)) for at in moments], share) for cell, moments in past.items()
    }


def _cell(at: datetime, row: Row | None) -> Cell:
    if row is None:
        return Cell(at, 0, 0)
    return Cell(at, row["finished"], row["failed"], row["duration_hist"] or (), row["wait_hist"] or ())
