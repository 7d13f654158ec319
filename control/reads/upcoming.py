"""The slots to come, of all jobs, in order."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from callboard.control.reads.jobs import Job, Schedule
from callboard.core.clock import utcnow
from callboard.core.cron import cron
from callboard.core.errors import BadSchedule


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One time at which a job is due."""

    due_at: datetime
    job: str
    schedule_id: int
    words: str


def upcoming(
    found: Sequence[Job], *, limit: int, until: datetime | None = None, after: datetime | None = None
) -> tuple[Slot, ...]:
    """The next slots of the enabled schedules of jobs that are switched on, the earliest first.

    Pure: it asks nothing of the database. At most `limit`, and none later than `until` where given.
    """
    start = after or utcnow()
    streams = [
        _slots(job, schedule, start)
        for job in found
        if job.enabled
        for schedule in job.schedules
        if schedule.enabled
    ]
    merged: Iterator[Slot] = heapq.merge(*streams)
    if until is not None:
        merged = _up_to(merged, until)
    return tuple(islice(merged, limit))


def _slots(job: Job, schedule: Schedule, after: datetime) -> Iterator[Slot]:
    try:
        when = cron(schedule.expr, tz=schedule.tz)
        at = when.next(after)
        while True:
            yield Slot(at, job.name, schedule.id, schedule.words)
            at = when.next(at)
    except BadSchedule:
        return


def _up_to(slots: Iterator[Slot], until: datetime) -> Iterator[Slot]:
    for slot in slots:
        if slot.due_at > until:
            return
        yield slot
