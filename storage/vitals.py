"""How far behind each part of the system is: the figures that health checks and the doctor judge."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from redis import Redis
from sqlalchemy import Connection, text

from callboard.core.cron import Cron
from callboard.core.errors import BadSchedule
from callboard.core.keys import Keys
from callboard.storage.clocks import database_time
from callboard.storage.positions import read_position
from callboard.storage.slots import load_schedules

_UNSENT = text("""
SELECT count(*), extract(epoch FROM now() - min(greatest(created_at, not_before)))::float8
  FROM callboard.outbox
 WHERE coalesce(not_before, '-infinity'::timestamptz) <= now()
""")

_RECORDER = text("""
SELECT extract(epoch FROM now() - updated_at)::float8
  FROM callboard.stream_position
 WHERE stream = :stream
""")


class Overdue(NamedTuple):
    """The slot that has been due for longest."""

    job: str
    due_at: datetime
    #: Seconds since then.
    age: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a part, and for how many seconds the oldest has."""

    count: int
    age: float


def overdue_slot(connection: Connection) -> Overdue | None:
    """The oldest due slot that no scheduler has decided; None where there is none."""
    now = database_time(connection)
    oldest: Overdue | None = None
    for row in load_schedules(connection):
        if row.off is not None:
            continue
        try:
            due = Cron(row.expr, row.tz).next(row.checked_until)
        except BadSchedule:
            continue
        if due <= now and (oldest is None or due < oldest.due_at):
            oldest = Overdue(row.job_name, due, (now - due).total_seconds())
    return oldest


def unsent_messages(connection: Connection) -> Waiting:
    """The messages in the outbox that should be in Redis by now."""
    count, age = connection.execute(_UNSENT).one()
    return Waiting(count, max(0.0, age or 0.0))


def unrecorded_events(connection: Connection, client: Redis, keys: Keys) -> Waiting:
    """The entries of the event stream that the recorder has not written yet."""
    position = read_position(connection, keys.events)
    after = f"({position}" if position else "-"
    oldest: Any = client.xrange(keys.events, min=after, count=1)
    if not oldest:
        return Waiting(0, 0.0)
    seconds, microseconds = client.time()
    age = seconds + microseconds / 1e6 - int(oldest[0][0].partition(b"-")[0]) / 1000
    return Waiting(client.xlen(keys.events), max(0.0, age))


def recorder_silence(connection: Connection, stream: str) -> float | None:
    """Seconds since the recorder of that stream last wrote its position; None where it never has.

    A recorder with nothing to record writes it every few seconds.
    """
    silence: float | None = connection.execute(_RECORDER, {"stream": stream}).scalar_one_or_none()
    return silence


def stuck_workers(client: Redis, keys: Keys) -> dict[str, dict[str, Any]]:
    """The workers that have lost threads to runs that cannot be interrupted, by broker id.

    Each with what it says of itself: `pid`, `host`, `threads`, `stuck` (how many of them) and more.
    """
    described: Any = client.hgetall(keys.workers)
    workers = {worker.decode(): orjson.loads(said) for worker, said in described.items()}
    return {worker: said for worker, said in workers.items() if said.get("stuck")}


def worker_silences(client: Redis, keys: Keys) -> dict[str, float]:
    """Seconds since the last sign of life of each worker that has not taken leave, by its broker id.

    Whoever only sends messages may have a heartbeat too; a worker has described itself.
    """
    seconds, microseconds = client.time()
    known: Any = client.hkeys(keys.workers)
    beats: Any = client.zmscore(keys.heartbeats, known) if known else []
    now = seconds + microseconds / 1e6
    return {worker.decode(): now - (beat or 0) / 1000 for worker, beat in zip(known, beats, strict=True)}
