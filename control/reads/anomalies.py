"""What is out of the ordinary just now: of runs that ended within a day, of those under way, of slots."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from callboard.control.context import Context
from callboard.control.reads.durations import usuals
from callboard.control.reads.jobs import cron_of
from callboard.control.reads.ledger import passed_slots
from callboard.control.reads.names import unknown_job
from callboard.control.reads.presence import presence
from callboard.control.reads.runs import as_run
from callboard.control.reads.windows import floor
from callboard.core.anomalies import (
    Baseline,
    Ended,
    Finding,
    Kind,
    Success,
    Usual,
    grace,
    half,
    in_order,
    judge_run,
    longest_ms,
    missed,
    plain,
    running_long,
    too_often,
    unusual,
    usual_of,
)
from callboard.core.anomalies.runs import COMPARED
from callboard.core.clock import utcnow
from callboard.core.display import span
from callboard.core.errors import BadSchedule
from callboard.core.histogram import merge
from callboard.core.limits import storable
from callboard.storage.queries import Row
from callboard.storage.queries import anomalies as queries
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import runs as run_queries
from callboard.storage.queries import schedules as schedule_queries

#: So many of a job's last runs are judged, if they ended within a day.
JUDGED = 10
DAY = timedelta(days=1)
#: So many runs of a job are looked at.
LOOKED_AT = COMPARED + JUDGED
#: So many weeks back go the runs at the same hour of the week.
WEEKS = 8
#: The windows (s) in which runs are counted against slots: the first that calls for no more than `MOST`.
WINDOWS_S = (3_600, 900, 300, 60)
MOST = 40
#: So many slots of a schedule that nobody decided are counted.
COUNTED = 100


def anomalies(context: Context, *, job: str | None = None, kind: Kind | None = None) -> tuple[Finding, ...]:
    """All findings, or those of a job or of a kind: the critical first, then the latest first.

    Raises:
        UnknownJob: no job has that name.
        Unavailable: PostgreSQL does not answer.
    """
    now = utcnow()
    with context.read() as connection:
        known = job is None or storable(job) in job_queries.names(connection)
        hour = now - timedelta(seconds=WINDOWS_S[0])
        latest = queries.latest(connection, day=floor(now - DAY, 86_400), hour=hour, limit=LOOKED_AT)
        running = run_queries.running(connection)
        schedules = schedule_queries.schedules(connection)
        lag = queries.lag_p99_ms(connection, since=now - DAY)
        judged = list(_judged(latest, now))
        short = {each.job for each in judged if half(each.run, each.usual)}
        usual = usuals(connection, {*short, *(row["job"] for row in running)})
        found = list(_ended(connection, judged, usual))
    if job is not None and not known:
        raise unknown_job(context, job)
    found += _running(running, usual, now)
    found += _too_often(latest, schedules, now)
    found += _missed(context, schedules, grace(lag), now)
    return in_order(each for each in found if job in (None, each.job) and kind in (None, each.kind))


class Judged(NamedTuple):
    """A run that may be out of the ordinary, the successes before it, the latest first, and what they say."""

    job: str
    run: Ended
    before: list[Success]
    usual: Baseline | None


def _judged(latest: Sequence[Row], now: datetime) -> Iterator[Judged]:
    """Of the last successes of each job, those of the last day that more than a glance is due to."""
    since = (now - DAY).timestamp()
    for row in latest:
        successes = list(map(Success, row["took_ms"] or (), row["processed"] or ()))
        for place, ended_s in enumerate((row["ended_s"] or ())[:JUDGED]):
            success, before = successes[place], successes[place + 1 :]
            if ended_s >= since and not plain(success, before):
                ended_at = datetime.fromtimestamp(ended_s, UTC)
                yield Judged(
                    row["job"],
                    Ended(UUID(row["run_ids"][place]), ended_at, *success),
                    before,
                    usual_of(before),
                )


def _ended(
    connection: Connection, judged: Sequence[Judged], percentiles: Mapping[str, Usual]
) -> Iterator[Finding]:
    at_hour = _at_hour(connection, [(each.job, each.run) for each in judged if unusual(each.run, each.usual)])
    for job, run, before, usual in judged:
        hour = at_hour.get((job, floor(run.ended_at, 3_600)))
        yield from judge_run(job, run, before, usual=usual, percentiles=percentiles.get(job), at_hour=hour)


def _at_hour(
    connection: Connection, strange: Sequence[tuple[str, Ended]]
) -> dict[tuple[str, datetime], Baseline | None]:
    """By job and hour: the durations at the same hour of the weeks before."""
    asked = {(job, floor(run.ended_at, 3_600)) for job, run in strange}
    if not asked:
        return {}
    before = {hour: [hour - timedelta(weeks=back) for back in range(1, WEEKS + 1)] for _, hour in asked}
    rows = queries.hours(
        connection,
        sorted({job for job, _ in asked}),
        sorted({each for hours in before.values() for each in hours}),
    )
    counts: dict[tuple[str, datetime], list[Sequence[int]]] = defaultdict(list)
    for row in rows:
        counts[row["job"], row["bucket"]].append(row["duration_hist"] or ())
    return {
        (job, hour): Baseline.of_histogram(merge(*(each for at in before[hour] for each in counts[job, at])))
        for job, hour in asked
    }


def _running(rows: Sequence[Row], usual: Mapping[str, Usual], now: datetime) -> Iterator[Finding]:
    for row in rows:
        run, known = as_run(row), usual.get(row["job"])
        elapsed, longest = run.running_ms(now), longest_ms(known)
        if known is None or elapsed is None or longest is None or not running_long(elapsed, known):
            continue
        text = (
            f"It has been running for over {span(elapsed)}; of {known.runs:,} runs 99 % took no more than"
            f" {span(known.p99_ms)}."
        )
        since = now - timedelta(milliseconds=elapsed - longest)
        ratio = elapsed / max(1.0, known.p99_ms)
        yield Finding("running_long", run.job, text, since, run_id=run.run_id, ratio=ratio)


def _too_often(latest: Sequence[Row], schedules: Sequence[Row], now: datetime) -> Iterator[Finding]:
    by_job = _by_name(schedules)
    for row in latest:
        job = row["job"]
        known = by_job.get(job, ())
        unasked = _unasked(row, known)
        # Mostly each run has a slot of its own; only where not is it worth working out what was called for.
        if not known or len(unasked) <= len({at for at, due in unasked if due}) + 1:
            continue
        changed = max(each["changed_at"] for each in known)
        for window_s in WINDOWS_S:
            since = max(now - timedelta(seconds=window_s), changed)
            expected = sum(
                _slots(each, since, now) for each in known if each["enabled"] and each["job_enabled"]
            )
            if expected <= MOST:
                began = [at for at, _ in unasked if at >= since]
                found = too_often(job, began, expected, since, now)
                if found is not None:
                    yield found
                break


def _by_name(schedules: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in schedules:
        found[row["job_name"]].append(row)
    return found


def _unasked(row: Row, schedules: Sequence[Row]) -> list[tuple[datetime, bool]]:
    """When the runs that nobody asked for were due, or began, and whether they were due then.

    Those of deleted schedules are left out.
    """
    known = {None, *(each["id"] for each in schedules)}
    lately = zip(row["began"] or (), row["due"] or (), row["schedules"] or (), strict=True)
    return [(at, due) for at, due, schedule in lately if schedule in known]


def _slots(row: Row, since: datetime, now: datetime) -> int:
    try:
        slots = cron_of(row["expr"], row["tz"]).between(
            since - timedelta(microseconds=1), now, limit=MOST + 1
        )
        return sum(1 for _ in slots)
    except BadSchedule:
        return 0


def _missed(
    context: Context, schedules: Sequence[Row], allowed: timedelta, now: datetime
) -> Iterator[Finding]:
    alive = None
    for row in schedules:
        if not (row["enabled"] and row["job_enabled"]):
            continue
        slots = list(islice(passed_slots(row, now - allowed), COUNTED + 1))
        if not slots:
            continue
        alive = alive or presence(context)
        found = missed(
            row["job_name"],
            f"{row['job_name']}/{row['key']}",
            row["tz"],
            slots[:COUNTED],
            reason=alive.why_undecided(slots[0], now),
            more=len(slots) > COUNTED,
        )
        if found is not None:
            yield replace(found, schedule_id=row["id"])
