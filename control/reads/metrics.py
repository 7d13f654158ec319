"""What Prometheus scrapes: the text format, from Redis, the rollups and what health checks look at."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from callboard.control.context import Context, reaching_redis
from callboard.control.reads.breakers import breakers
from callboard.control.reads.jobs import jobs
from callboard.control.reads.presence import presence
from callboard.control.reads.queues import queues
from callboard.core.clock import utcnow
from callboard.storage import vitals
from callboard.storage.queries import metrics as queries

#: The media type of the text.
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: Runs are counted from the first of the month, UTC, since old rollups are dropped: a scraper takes the fall
#: to nothing for a restart, and would take the loss of a day for as many new runs.
OUTCOMES: Final = ("succeeded", "failed", "cancelled", "skipped", "dead")

Labels = dict[str, str]
Sample = tuple[Labels, float | None]


def metrics(context: Context) -> str:
    """All figures in Prometheus's text format.

    Raises:
        Unavailable: PostgreSQL or Redis does not answer.
    """
    return "".join(f"{line}\n" for line in _lines(context))


def _lines(context: Context) -> Iterator[str]:
    now = utcnow()
    month = datetime(now.year, now.month, 1, tzinfo=UTC)
    found = jobs(context)
    with context.read() as connection:
        rows = queries.by_job(connection, since=month)
        alerts = queries.open_alerts(connection)
        outbox = vitals.unsent_messages(connection)
        overdue = vitals.overdue_slot(connection)
        silence = vitals.recorder_silence(connection, context.keys.events)
        with reaching_redis():
            events = vitals.unrecorded_events(connection, context.redis, context.keys)
            silences = vitals.worker_silences(context.redis, context.keys)
            stuck = vitals.stuck_workers(context.redis, context.keys)
    most_s = context.settings.callboard_worker_timeout / 1000
    alive = [name for name, s in silences.items() if s <= most_s]
    waiting = queues(context)

    yield from _metric(
        "runs_total",
        "counter",
        "Runs that have ended since the first of the month (UTC), by outcome.",
        (({"job": row["job"], "outcome": word}, row[word]) for row in rows for word in OUTCOMES),
    )
    yield from _metric(
        "run_retries_total",
        "counter",
        "Attempts that failed and were followed by another, since the first of the month (UTC).",
        (({"job": row["job"]}, row["retried"]) for row in rows),
    )
    for name, what in (("duration", "How long runs took"), ("wait", "How long runs waited to start")):
        yield from _metric(
            f"run_{name}_seconds",
            "summary",
            f"{what}, since the first of the month (UTC).",
            (({"job": row["job"]}, row[f"{name}_sum_ms"] / 1000) for row in rows),
            (({"job": row["job"]}, row["succeeded"] + row["failed"]) for row in rows),
        )
    yield from _metric(
        "job_enabled", "gauge", "1: switched on.", (({"job": job.name}, float(job.enabled)) for job in found)
    )
    for state in ("running", "pending"):
        yield from _metric(
            f"job_{state}_runs",
            "gauge",
            f"Runs that are {state} now.",
            (({"job": job.name}, getattr(job, state)) for job in found),
        )
    yield from _metric(
        "job_last_success_timestamp_seconds",
        "gauge",
        "When a run last succeeded.",
        (({"job": job.name}, _seconds(job.stats.last_success_at)) for job in found),
    )
    yield from _metric(
        "queue_messages",
        "gauge",
        "Messages of a queue, by where they are.",
        (
            ({"queue": each.name, "state": state}, getattr(each, state))
            for each in waiting
            for state in ("waiting", "delayed", "parked", "taken", "dead")
        ),
    )
    yield from _metric(
        "queue_paused",
        "gauge",
        "1: paused.",
        (({"queue": q.name}, float(q.pause is not None)) for q in waiting),
    )
    yield from _metric(
        "queue_workers",
        "gauge",
        "Workers that serve a queue.",
        (({"queue": q.name}, q.workers) for q in waiting),
    )
    yield from _metric(
        "breaker_open",
        "gauge",
        "1: open or half open.",
        (({"breaker": each.name}, float(each.state != "closed")) for each in breakers(context)),
    )
    yield from _metric(
        "open_alerts",
        "gauge",
        "Alerts that are open.",
        (({"kind": row["kind"], "severity": row["severity"]}, row["open"]) for row in alerts),
    )
    for name, what, value in (
        ("workers", "Worker processes that are alive.", len(alive)),
        ("schedulers", "Schedulers that are alive.", presence(context).alive),
        (
            "stuck_threads",
            "Threads of workers lost to runs that cannot be interrupted.",
            sum(said["stuck"] for worker, said in stuck.items() if worker in alive),
        ),
        ("recorder_lag_seconds", "For how long the oldest event has waited for the recorder.", events.age),
        ("recorder_events_waiting", "Events that the recorder has not written yet.", events.count),
        ("recorder_silence_seconds", "Since the recorder has last written its position.", silence),
        ("outbox_messages", "Messages that should be in Redis by now.", outbox.count),
        ("outbox_age_seconds", "For how long the oldest of them has waited.", outbox.age),
        (
            "slot_overdue_seconds",
            "For how long the oldest due slot has waited.",
            overdue.age if overdue else 0.0,
        ),
    ):
        yield from _metric(name, "gauge", what, [({}, value)])


def _metric(
    name: str, kind: str, what: str, samples: Iterable[Sample], counts: Iterable[Sample] | None = None
) -> Iterator[str]:
    whole = f"callboard_{name}"
    yield f"# HELP {whole} {what}"
    yield f"# TYPE {whole} {kind}"
    groups = [(whole, samples)] if counts is None else [(f"{whole}_sum", samples), (f"{whole}_count", counts)]
    for series, group in groups:
        for labels, value in group:
            if value is not None:
                yield f"{series}{_labels(labels)} {value:.15g}"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    said = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{','.join(said)}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
