"""The parts: who is alive, and whether anything is behind."""

from callboard.control.checkup.finding import LATE_S, Finding, lateness
from callboard.control.context import Context, reaching_redis
from callboard.control.reads.queues import queues
from callboard.core.words import joined
from callboard.scheduler.messenger import find_places
from callboard.scheduler.presence import list_schedulers
from callboard.storage.queries.alerts import untold
from callboard.storage.vitals import (
    overdue_slot,
    recorder_silence,
    stuck_workers,
    unrecorded_events,
    unsent_messages,
    worker_silences,
)

#: Seconds of silence after which a worker or recorder counts as gone.
SILENT_S = 20.0
#: By so many milliseconds may a scheduler's clock differ from the database's.
CLOCK_MS = 2_000
#: What to do where threads are lost.
STUCK = 'Declare the jobs that get stuck with isolation="process", and restart that worker.'


def workers(context: Context) -> Finding:
    """Whether anybody works."""
    with reaching_redis():
        silences = worker_silences(context.redis, context.keys)
        stuck = _lost_threads(context, silences)
    alive = sum(silence < SILENT_S for silence in silences.values())
    if alive:
        detail = f"{alive} worker process{'es' * (alive != 1)} alive"
        if stuck:
            return Finding("Workers", "warn", f"{detail}; {stuck}", STUCK)
        return Finding("Workers", "ok", detail)
    waiting = sum(queue.waiting for queue in queues(context))
    detail = "no worker is alive" + (f" and {waiting} messages wait" if waiting else "")
    return Finding("Workers", "fail", detail, "Start `callboard worker` (or `callboard up`).")


def _lost_threads(context: Context, silences: dict[str, float]) -> str:
    """How many threads are lost to runs that cannot be interrupted, and where; "" where none is."""
    found = stuck_workers(context.redis, context.keys)
    lost = [
        f"{said['stuck']} of {said['threads']} threads of process {said['pid']} on {said['host']}"
        for worker, said in found.items()
        if silences.get(worker, SILENT_S) < SILENT_S
    ]
    return f"{joined(lost)} lost to runs past their limit" if lost else ""


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
    with reaching_redis(), context.read() as connection:
        waiting = unrecorded_events(connection, context.redis, context.keys)
        silence = recorder_silence(connection, context.keys.events)
    if silence is None or silence > SILENT_S:
        since = "has never run" if silence is None else f"has been silent for {silence:.0f} s"
        detail = f"the recorder {since}" + (f" and {waiting.count} events wait" if waiting.count else "")
        return Finding("Recorder", "fail", detail, "Start `callboard recorder` (or `callboard up`).")
    if waiting.age > LATE_S:
        detail = f"{waiting.count} events wait, the oldest for {waiting.age:.0f} s"
        return Finding("Recorder", lateness(waiting.age), detail, "Look at the recorder's log.")
    return Finding("Recorder", "ok", f"alive, {waiting.count or 'no'} events wait")


def slots(context: Context) -> Finding:
    """Whether a time at which something was due has passed unheeded."""
    with context.read() as connection:
        overdue = overdue_slot(connection)
    if overdue is None or overdue.age <= LATE_S:
        return Finding("Slots", "ok", "no slot is overdue")
    detail = f"a slot of {overdue.job} has been due for {overdue.age:.0f} s"
    return Finding("Slots", lateness(overdue.age), detail, "Look at the scheduler's log.")


def outbox(context: Context) -> Finding:
    """Whether what should be in Redis by now is."""
    with context.read() as connection:
        unsent = unsent_messages(connection)
    if unsent.age <= LATE_S:
        return Finding("Outbox", "ok", "nothing waits to be sent")
    detail = f"{unsent.count} messages wait to be sent, the oldest for {unsent.age:.0f} s"
    return Finding("Outbox", lateness(unsent.age), detail, "Look at the scheduler's log.")


def alerts(context: Context) -> Finding:
    """Whether people can be told of alerts, where they are to be."""
    names = [place.name for place in find_places(context.settings)]
    if not names:
        return Finding(
            "Alerts", "ok", "nobody is told of alerts; CALLBOARD_ALERT_URLS would say whom to tell"
        )
    with context.read() as connection:
        failing = untold(connection, names)
    if not failing:
        return Finding("Alerts", "ok", f"people are told of alerts at {joined(names)}")
    detail = "; ".join(f"{row['place']} was not told of {row['alerts']}: {row['error']}" for row in failing)
    return Finding("Alerts", "warn", detail.rstrip("."), "Try it with `callboard alerts test`.")
