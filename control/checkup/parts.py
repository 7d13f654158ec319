"""The parts: who is alive, and whether anything is behind."""

from datetime import datetime
from typing import cast

from callboard.control.checkup.finding import LATE_S, Finding, lateness
from callboard.control.context import Context, reaching_redis
from callboard.control.reads.queues import queues
from callboard.core.cron import cron
from callboard.core.errors import BadSchedule
from callboard.scheduler.presence import list_schedulers
from callboard.storage.clocks import database_time
from callboard.storage.liveness import recorder_silence
from callboard.storage.slots import load_schedules
from callboard.storage.uptime import count_unsent

#: Seconds of silence after which a worker or recorder counts as gone.
SILENT_S = 20.0
#: By so many milliseconds may a scheduler's clock differ from the database's.
CLOCK_MS = 2_000


def workers(context: Context) -> Finding:
    """Whether anybody works."""
    keys = context.keys
    with reaching_redis():
        seconds, _ = context.redis.time()
        beats = dict(
            cast("list[tuple[bytes, float]]", context.redis.zrange(keys.heartbeats, 0, -1, withscores=True))
        )
        # Whoever only sends messages has a heartbeat too; a worker has described itself.
        known = cast("list[bytes]", context.redis.hkeys(keys.workers))
    alive = sum(seconds - beats.get(each, 0) / 1000 < SILENT_S for each in known)
    if alive:
        return Finding("Workers", "ok", f"{alive} worker process{'es' * (alive != 1)} alive")
    waiting = sum(queue.waiting for queue in queues(context))
    detail = "no worker is alive" + (f" and {waiting} messages wait" if waiting else "")
    return Finding("Workers", "fail", detail, "Start `callboard worker` (or `callboard up`).")


def schedulers(context: Context) -> Finding:
    """Whether anybody fires what is due, by a clock that is right."""
    with reaching_redis():
        alive = [each for each in list_schedulers(context.redis, context.keys) if each["alive"]]
    if not alive:
        return Finding(
            "Scheduler", "fail", "no scheduler is alive", "Start `callboard scheduler` (or `callboard up`)."
        )
    offset = max(abs(int(each.get("clock_offset_ms", 0))) for each in alive)
    detail = f"{len(alive)} alive, {alive[0].get('schedules', 0)} schedules"
    if offset > CLOCK_MS:
        return Finding(
            "Scheduler",
            "warn",
            f"{detail}; its clock differs from the database's by {offset / 1000:.1f} s",
            "Set the machines' clocks by NTP.",
        )
    return Finding("Scheduler", "ok", detail)


def recorder(context: Context) -> Finding:
    """Whether what workers report reaches the database, and how soon."""
    with reaching_redis():
        seconds, _ = context.redis.time()
        oldest = cast("list[tuple[bytes, object]]", context.redis.xrange(context.keys.events, count=1))
        waiting = context.redis.xlen(context.keys.events)
    with context.read() as connection:
        silence = recorder_silence(connection, context.keys.events)
    lag = max(0.0, seconds - int(oldest[0][0].partition(b"-")[0]) / 1000) if oldest else 0.0
    if silence is None or silence > SILENT_S:
        since = "has never run" if silence is None else f"has been silent for {silence:.0f} s"
        detail = f"the recorder {since}" + (f" and {waiting} events wait" if waiting else "")
        return Finding("Recorder", "fail", detail, "Start `callboard recorder` (or `callboard up`).")
    if lag > LATE_S:
        detail = f"{waiting} events wait, the oldest for {lag:.0f} s"
        return Finding("Recorder", lateness(lag), detail, "Look at the recorder's log.")
    return Finding("Recorder", "ok", f"alive, {waiting or 'no'} events wait")


def slots(context: Context) -> Finding:
    """Whether a time at which something was due has passed unheeded."""
    with context.read() as connection:
        now = database_time(connection)
        rows = [row for row in load_schedules(connection) if row.off is None]
    overdue: list[tuple[datetime, str]] = []
    for row in rows:
        try:
            due = cron(row.expr, tz=row.tz).next(row.checked_until)
        except BadSchedule:
            continue
        if due <= now:
            overdue.append((due, row.job_name))
    if not overdue:
        return Finding("Slots", "ok", "no slot is overdue")
    due, job = min(overdue)
    late = (now - due).total_seconds()
    detail = f"a slot of {job} has been due for {late:.0f} s"
    if late <= LATE_S:
        return Finding("Slots", "ok", "no slot is overdue")
    return Finding("Slots", lateness(late), detail, "Look at the scheduler's log.")


def outbox(context: Context) -> Finding:
    """Whether what should be in Redis by now is."""
    with context.read() as connection:
        unsent = count_unsent(connection)
        now = database_time(connection)
    late = (now - unsent.since).total_seconds() if unsent.since is not None else 0.0
    if late <= LATE_S:
        return Finding("Outbox", "ok", "nothing waits to be sent")
    detail = f"{unsent.messages} messages wait to be sent, the oldest for {late:.0f} s"
    return Finding("Outbox", lateness(late), detail, "Look at the scheduler's log.")
