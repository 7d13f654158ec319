"""Queues, pauses and breakers."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StrictBool

from callboard.api.models.base import Body, RequestBody, example
from callboard.api.models.runs import RUN_ID
from callboard.control.actions.pauses import MAX_REASON, Paused, Resumed
from callboard.control.actions.runs import Cancelled, Retried
from callboard.control.reads.breakers import Breaker, BreakerChange, State
from callboard.control.reads.pauses import Pause, Scope
from callboard.control.reads.queues import Queue, QueueDetail

_PAUSE = {
    "scope": "queue",
    "name": "default",
    "reason": "Game Platform API maintenance",
    "pausedBy": "otto",
    "pausedAt": "2026-01-24T10:00:00Z",
}


_QUEUE = {
    "name": "default",
    "depth": 7,
    "waiting": 4,
    "delayed": 2,
    "parked": 1,
    "taken": 8,
    "dead": 0,
    "workers": 2,
    "pause": None,
}


class PauseBody(Body):
    """What is paused: a queue, a job, or everything; then the name is empty."""

    model_config = example(_PAUSE)

    scope: Scope
    name: str
    reason: str
    paused_by: str
    paused_at: datetime

    @classmethod
    def of(cls, pause: Pause) -> "PauseBody":
        """The body for a pause."""
        return cls(**{name: getattr(pause, name) for name in cls.model_fields})


class PauseList(Body):
    """All pauses."""

    pauses: list[PauseBody]


class PauseRequest(RequestBody):
    """Why to pause, and whether what runs is to finish or to be cancelled."""

    model_config = example({"reason": "Game Platform API maintenance", "cancelRunning": False})

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]
    cancel_running: Annotated[
        StrictBool, Field(description="Cancel what runs instead of letting it finish.")
    ] = False


class PauseResult(Body):
    """A pause; `new` is false where it was paused already. `cancelled` counts runs."""

    model_config = example({"pause": _PAUSE, "new": True, "cancelled": 0})

    pause: PauseBody
    new: bool
    cancelled: int

    @classmethod
    def of(cls, paused: Paused) -> "PauseResult":
        """The body for a pause that has just been asked for."""
        return cls(pause=PauseBody.of(paused.pause), new=paused.new, cancelled=paused.cancelled)


class ResumeResult(Body):
    """What goes on; `changed` is false where it was not paused."""

    model_config = example({"scope": "queue", "name": "default", "changed": True})

    scope: Scope
    name: str
    changed: bool

    @classmethod
    def of(cls, resumed: Resumed) -> "ResumeResult":
        """The body for a pause that has just ended."""
        return cls(scope=resumed.scope, name=resumed.name, changed=resumed.changed)


class QueueBody(Body):
    """The messages of one queue.

    `waiting` for a worker, `delayed` until a later time, `parked` until a pause is over or a mutex, a limit
    or a breaker is free; `depth` is all three. `taken` by workers, `dead`: failed for good and kept for a
    while. `workers` processes serve it.
    """

    model_config = example(_QUEUE)

    name: str
    depth: int
    waiting: int
    delayed: int
    parked: int
    taken: int
    dead: int
    workers: int
    pause: PauseBody | None

    @classmethod
    def of(cls, queue: Queue) -> "QueueBody":
        """The body for a queue."""
        return cls(**queue_fields(queue))


class ServerBody(Body):
    """A worker process that serves a queue."""

    id: str
    host: str | None
    pid: int | None
    threads: int | None


class QueueDetailBody(QueueBody):
    """A queue with its jobs, who serves it, and its runs by state: of the ended, those of 24 hours."""

    model_config = example(
        _QUEUE
        | {
            "states": {"pending": 7, "processing": 8, "succeeded": 1200, "failed": 3},
            "jobs": ["health-check"],
            "servers": [{"id": "0196f6a2", "host": "stage", "pid": 4711, "threads": 8}],
        }
    )

    states: dict[str, int]
    jobs: list[str]
    servers: list[ServerBody]

    @classmethod
    def of_detail(cls, found: QueueDetail) -> "QueueDetailBody":
        """The body for a queue with all that is known of it."""
        servers = [
            ServerBody(id=each.id, host=each.host, pid=each.pid, threads=each.threads)
            for each in found.servers
        ]
        return cls(
            **queue_fields(found.queue), states=dict(found.states), jobs=list(found.jobs), servers=servers
        )


class DrainRequest(RequestBody):
    """Why the queue is to be drained."""

    model_config = example({"reason": "upgrade of the mail server"})

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]


class DrainResult(Body):
    """A queue that takes no new work on. `left` runs are under way still; it is `drained` when none is."""

    model_config = example({"drained": True, "left": 0, "queue": _QUEUE | {"taken": 0, "pause": _PAUSE}})

    drained: bool
    left: int
    queue: QueueBody


class QueueList(Body):
    """All queues, by name."""

    queues: list[QueueBody]


class CancelRequest(RequestBody):
    """Why to cancel."""

    model_config = example({"reason": "sent by mistake"})

    reason: Annotated[str | None, Field(max_length=MAX_REASON)] = None


class CancelResult(Body):
    """A run that is cancelled, and the state that it was in."""

    model_config = example({"runId": RUN_ID, "job": "send-mail", "was": "processing"})

    run_id: UUID
    job: str
    was: str

    @classmethod
    def of(cls, cancelled: Cancelled) -> "CancelResult":
        """The body for a run that has just been cancelled."""
        return cls(run_id=cancelled.run_id, job=cancelled.job, was=cancelled.was)


class RetryResult(Body):
    """What is tried again: the run itself, brought forward, or a new one that does it again."""

    model_config = example({"runId": RUN_ID, "job": "send-mail", "of": RUN_ID, "state": "sent"})

    run_id: UUID
    job: str
    of: UUID
    state: str

    @classmethod
    def of_retried(cls, retried: Retried) -> "RetryResult":
        """The body for a run that is tried again."""
        return cls(run_id=retried.run_id, job=retried.job, of=retried.of, state=retried.state)


class BreakerBody(Body):
    """A circuit breaker. `failures` in a row are counted while it is closed; `waiting` runs wait for it."""

    name: str
    state: State
    failures: int
    cause: str | None
    opened_at: datetime | None
    until: Annotated[datetime | None, Field(description="When a probe may try.")]
    waiting: int

    @classmethod
    def of(cls, breaker: Breaker) -> "BreakerBody":
        """The body for a breaker."""
        return cls(**{name: getattr(breaker, name) for name in cls.model_fields})


class BreakerList(Body):
    """The breakers that have ever counted a failure; those that are not closed first."""

    breakers: list[BreakerBody]


class BreakerChangeBody(Body):
    """One change of a breaker's state, and its cause."""

    breaker: str
    at: datetime
    from_state: str
    to_state: str
    cause: str | None
    job: str | None
    run_id: UUID | None

    @classmethod
    def of(cls, change: BreakerChange) -> "BreakerChangeBody":
        """The body for a change."""
        return cls(**{name: getattr(change, name) for name in cls.model_fields})


class BreakerChangePage(Body):
    """A page of changes, the latest first; `nextCursor` is null on the last one."""

    changes: list[BreakerChangeBody]
    next_cursor: str | None


class BreakerReset(Body):
    """A breaker that is closed now, and the state that it was in."""

    model_config = example({"name": "whatsapp", "was": "open"})

    name: str
    was: str


def queue_fields(queue: Queue) -> dict[str, Any]:
    """The fields of a queue's body."""
    names = ("name", "depth", "waiting", "delayed", "parked", "taken", "dead", "workers")
    pause = None if queue.pause is None else PauseBody.of(queue.pause)
    return {name: getattr(queue, name) for name in names} | {"pause": pause}
