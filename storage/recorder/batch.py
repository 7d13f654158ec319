"""Turns events into rows.

One run may have several events in a batch: it has begun, it has failed and waits for a retry, it has
succeeded. The rows say where each run has come to; the attempts, the log lines and the counts say
everything in between. The keys of the events are explained in `middleware.events`.
"""

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from callboard.core.states import RunState, rank
from callboard.storage.recorder.rollup import Counts

TRIGGERS = frozenset({"schedule", "manual", "code", "sql"})
JOB_NAME = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FOREIGN_IDS = uuid.UUID("4b1d2d1c-52e2-4a54-8a0b-0e4f7c9f2f5e")

#: The columns of `callboard.runs`, in the order in which a row is built.
RUN_COLUMNS = (
    "run_id", "enqueued_at", "job", "queue", "state", "rank", "attempt", "max_attempts", "trigger",
    "schedule_id", "due_at", "ready_at", "fetched_at", "started_at", "attempt_started_at", "finished_at",
    "wait_ms", "duration_ms", "execution_id", "worker", "error_type", "error", "traceback", "args",
    "kwargs", "result", "progress", "reason", "requested_by", "next_retry_at", "time_limit_ms",
)  # fmt: skip
_RANK, _STARTED, _WAIT, _ARGS, _KWARGS, _PROGRESS = (
    RUN_COLUMNS.index(name) for name in ("rank", "started_at", "wait_ms", "args", "kwargs", "progress")
)

ATTEMPT_COLUMNS = (
    "run_id", "enqueued_at", "attempt", "execution_id", "state", "started_at", "finished_at", "duration_ms",
    "worker", "error_type", "error", "traceback", "reason",
)  # fmt: skip

LOG_COLUMNS = ("run_id", "enqueued_at", "attempt", "seq", "at", "level", "message")


@dataclass(slots=True)
class Batch:
    """Rows to write, in the order of the columns above."""

    runs: dict[str, list[Any]] = field(default_factory=dict)
    attempts: list[tuple[Any, ...]] = field(default_factory=list)
    log_lines: list[tuple[Any, ...]] = field(default_factory=list)
    #: (run_id, enqueued_at, progress as JSON) of runs that only said something.
    progress: dict[str, tuple[str, datetime, str]] = field(default_factory=dict)
    #: (run_id, enqueued_at, attempt, worker, at) of runs whose worker died.
    lost: list[tuple[str, datetime, int, str, datetime]] = field(default_factory=list)
    #: (disposition, reason, schedule_id, due_at) of slots whose run was turned away.
    turned_away: list[tuple[str, str, int, datetime]] = field(default_factory=list)
    #: (source, jobs) as workers declared them.
    declarations: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    #: What is to be counted, by run.
    counts: dict[str, list[Counts]] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)

    def add(self, event: dict[str, Any]) -> None:
        """Add one event. An unknown kind is left out: a newer worker may know more than this recorder."""
        match event.get("k"):
            case "run":
                self._add_run(event)
            case "note":
                run_id, enqueued_at = run_key(event)
                if event.get("prg") is not None:
                    self.progress[run_id] = (run_id, enqueued_at, orjson.dumps(event["prg"]).decode())
                self._add_logs(run_id, enqueued_at, event)
            case "lost":
                run_id, enqueued_at = run_key(event)
                self.lost.append((run_id, enqueued_at, event["n"], event["w"], from_ms(event["fin"])))
            case "jobs":
                self.declarations.append((event["source"], event["jobs"]))

    def _add_run(self, event: dict[str, Any]) -> None:
        get = event.get
        run_id, enqueued_at = run_key(event)
        state, attempt, queue = event["s"], event["n"], event["q"]
        job = event["job"][:JOB_NAME]
        self.jobs[job] = queue
        started, finished = moment(get("sta")), moment(get("fin"))
        ready = moment(get("rdy"))
        wait = None
        if started is not None and attempt == 1:
            wait = max(0, round((started - (ready or enqueued_at)) / timedelta(milliseconds=1)))
        error = get("err") or (None, None, None)
        schedule, due = get("sch"), moment(get("due"))
        over = state not in (RunState.PENDING, RunState.PROCESSING)
        reached = attempt + 1 if state == RunState.PENDING else attempt
        row = [
            run_id, enqueued_at, job, queue, state, rank(state, reached), reached, get("m"),
            event["trg"] if get("trg") in TRIGGERS else "code", schedule, due, ready, moment(get("fet")),
            started if attempt == 1 else None, started, finished if over else None, wait, get("ms"), get("x"),
            get("w"),
            *error, _json(get("args")), _json(get("kw")), _json(get("res")), _json(get("prg")), get("why"),
            get("by"), moment(get("rat")), get("lim"),
        ]  # fmt: skip
        before = self.runs.get(run_id)
        self.runs[run_id] = row if before is None else _merged(before, row)
        self._add_logs(run_id, enqueued_at, event)
        if state == RunState.PROCESSING:
            return
        if started is not None and (state != RunState.SUCCEEDED or attempt > 1):
            shown = RunState.FAILED if state == RunState.PENDING else state
            self.attempts.append(
                (
                    run_id,
                    enqueued_at,
                    attempt,
                    event["x"],
                    shown,
                    started,
                    finished,
                    get("ms"),
                    get("w"),
                    *error,
                    get("why"),
                )
            )
        self.counts.setdefault(run_id, []).append(
            Counts(job, queue, state, attempt, started, finished or enqueued_at, get("ms"), wait)
        )
        if schedule is not None and due is not None and started is None and over:
            reason = get("why") or state
            self.turned_away.append((disposition(state, reason), reason, schedule, due))

    def _add_logs(self, run_id: str, enqueued_at: datetime, event: dict[str, Any]) -> None:
        attempt, first = event["n"], event.get("seq", 0)
        for number, (at, level, text) in enumerate(event.get("logs", ()), start=first):
            self.log_lines.append((run_id, enqueued_at, attempt, number, from_ms(at), level, text))


def disposition(state: str, reason: str) -> str:
    """What became of the slot of a run that never started."""
    if state == RunState.SKIPPED:
        kind = reason.partition(":")[0]
        return (
            f"skipped_{kind}"
            if kind in ("overlap", "disabled", "stale", "paused", "breaker")
            else "cancelled"
        )
    return "cancelled"


def run_key(event: dict[str, Any]) -> tuple[str, datetime]:
    """(run_id, enqueued_at) of an event. A message id that is no UUID is given one that follows from it."""
    run_id = event["id"]
    if _UUID.fullmatch(run_id) is None:
        run_id = str(uuid.uuid5(_FOREIGN_IDS, run_id))
    return run_id, from_ms(event["at"])


def from_ms(ms: float) -> datetime:
    """A moment from ms since the epoch, in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def moment(ms: float | None) -> datetime | None:
    """The same, where there may be none."""
    return None if ms is None else _EPOCH + timedelta(milliseconds=ms)


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _merged(before: list[Any], after: list[Any]) -> list[Any]:
    """The further of two rows of one run, with what only the other knows."""
    if after[_RANK] < before[_RANK]:
        before, after = after, before
    for column in (_STARTED, _WAIT, _ARGS, _KWARGS, _PROGRESS):
        if after[column] is None:
            after[column] = before[column]
    return after
