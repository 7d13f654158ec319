"""What the runs of a queue waited for, and which jobs held the threads meanwhile."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from callboard.control.context import Context
from callboard.control.reads.health import check_queue
from callboard.control.reads.spans import Grid, Span, grid
from callboard.control.reads.windows import floor
from callboard.core.health import Blame, Waited, WaitPart, blame, wait_parts
from callboard.core.health.baseline import typical
from callboard.core.holds import CAUSES
from callboard.storage.queries import Row, health, samples
from callboard.storage.samples import EVERY_S

#: The share of the samples that may be missing from a time that is known, and how late (s) it may begin.
MISSING = 0.2
LATE_S = 120.0


@dataclass(frozen=True, slots=True)
class Waits:
    """Of the `runs` whose wait is known, the parts of it; and the jobs that held threads, the worst first."""

    runs: int
    parts: tuple[WaitPart, ...]
    blame: tuple[Blame, ...]


def queue_waits(context: Context, name: str, span: Span = "day") -> Waits:
    """The waits of a queue over the last hour, day, week or 90 days.

    Raises:
        NotFound: no declared job has a queue of that name.
        BadInput: the span is none of these.
        Unavailable: PostgreSQL does not answer.
    """
    wanted = grid(span)
    with context.read() as connection:
        check_queue(connection, name)
        found = health.waited(
            connection,
            width=wanted.width,
            base_s=wanted.base_s,
            start=wanted.start,
            until=wanted.until,
            queue=name,
        )
        sampled = samples.means(connection, name, start=wanted.start)
        blamed = _blame(connection, wanted, name)
    waited = _waited(found, sampled)
    return Waits(waited.runs, wait_parts(waited), blamed)


def _waited(found: Row, sampled: Row) -> Waited:
    known = found["at"] is not None and _covers(sampled, found["at"])
    return Waited(
        runs=found["runs"],
        lag_ms=found["lag_ms"],
        delay_ms=found["delay_ms"],
        wait_ms=found["wait_ms"],
        hand_ms=found["hand_ms"],
        held_ms={cause: found[f"held_{cause}_ms"] for cause in CAUSES},
        parked=sampled["parked"] if known else None,
        depth=sampled["depth"] if known else None,
    )


def _covers(sampled: Row, start: datetime) -> bool:
    """Whether there are samples of all the time since then, but for a few."""
    if not sampled["samples"]:
        return False
    seconds = (sampled["last_at"] - sampled["first_at"]).total_seconds() + EVERY_S
    late = (sampled["first_at"] - start).total_seconds()
    dense: bool = sampled["samples"] * EVERY_S >= (1 - MISSING) * seconds
    return dense and late <= LATE_S


def _blame(connection: Connection, wanted: Grid, queue: str) -> tuple[Blame, ...]:
    now = health.busy(connection, wanted.rollups(), width=wanted.width, base_s=wanted.base_s, queue=queue)
    busy_s: dict[str, float] = defaultdict(float)
    for row in now:
        busy_s[row["job"]] += row["busy_ms"] / 1000
    began = health.began(connection, queue)
    cells = wanted.cells()
    first = min(began.values(), default=wanted.until)
    weeks = {cell: wanted.past(cell, first) for cell in cells}
    then = health.busy(
        connection,
        wanted.bases({at for moments in weeks.values() for at in moments}),
        width=timedelta(seconds=wanted.usual_s),
        base_s=wanted.usual_base_s,
        queue=queue,
    )
    past: dict[str, dict[datetime, float]] = defaultdict(dict)
    for row in then:
        past[row["job"]][row["at"]] = row["busy_ms"] / 1000
    usual_s = {}
    for job in busy_s:
        held, since = past[job], floor(began.get(job, wanted.until), wanted.usual_base_s)
        told = [typical(held.get(at, 0.0) for at in moments if at >= since) for moments in weeks.values()]
        if None not in told:
            usual_s[job] = sum(
                (each or 0.0) * share for each, share in zip(told, cells.values(), strict=True)
            )
    return blame(busy_s, usual_s)
