"""Turns events into rows.

One run may have several events in a batch: it has begun, it has failed and waits for a retry, it has
succeeded. The rows say where each run has come to; the attempts, the log lines and the counts say everything
in between. The keys of the events are explained in `middleware.events`. Times stay what they are there, ms
since the epoch: PostgreSQL turns them into timestamps at a tenth of what it costs here.
"""

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

import orjson

from callboard.core.fingerprint import fingerprint
from callboard.core.holds import held_of
from callboard.core.plain import plain
from callboard.core.states import FINAL, RunState, rank
from callboard.storage.recorder.rollup import Counts

TRIGGERS = frozenset({"schedule", "manual", "code", "sql"})
JOB_NAME = 100

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FOREIGN_IDS = uuid.UUID("4b1d2d1c-52e2-4a54-8a0b-0e4f7c9f2f5e")

#: The columns of `callboard.runs`, in the order in which a row is built.
RUN_COLUMNS = (
    "run_id", "enqueued_at", "job", "queue", "state", "rank", "attempt", "max_attempts", "trigger",
    "schedule_id", "due_at", "ready_at", "fetched_at", "started_at", "attempt_started_at", "finished_at",
    "wait_ms", "duration_ms", "execution_id", "worker", "error_type", "error", "traceback", "args", "kwargs",
    "result", "progress", "reason", "requested_by", "next_retry_at", "time_limit_ms", "fingerprint",
    "dead_letter", "flow", "held",
)  # fmt: skip
#: What a later event of a run need not repeat.
KEPT = (
    "max_attempts", "schedule_id", "due_at", "ready_at", "wait_ms", "args", "kwargs", "requested_by", "flow",
    "held",
)  # fmt: skip
_STATE, _RANK, _ATTEMPT, _TRIGGER, _STARTED, _WORKER, _EXECUTION, _PROGRESS = (
    RUN_COLUMNS.index(name)
    for name in (
        "state", "rank", "attempt", "trigger", "started_at", "worker", "execution_id", "progress",
    )
)  # fmt: skip
_ATTEMPT_STARTED, _REASON = RUN_COLUMNS.index("attempt_started_at"), RUN_COLUMNS.index("reason")
_KEPT = [RUN_COLUMNS.index(name) for name in KEPT]

#: What follows the error of an execution that was broken off.
GOES_AGAIN = " The run goes again."

ATTEMPT_COLUMNS = (
    "run_id", "enqueued_at", "attempt", "execution_id", "state", "started_at", "finished_at", "duration_ms",
    "worker", "error_type", "error", "traceback", "reason", "fingerprint",
)  # fmt: skip

LOG_COLUMNS = ("run_id", "enqueued_at", "attempt", "seq", "at", "level", "message")

_NO_ERROR = (None, None, None)
_BROKEN = frozenset({RunState.FAILED, RunState.DEAD})


@dataclass(slots=True)
class Batch:
    """Rows to write, in the order of the columns above."""

    runs: dict[str, list[Any]] = field(default_factory=dict)
    attempts: list[tuple[Any, ...]] = field(default_factory=list)
    log_lines: list[tuple[Any, ...]] = field(default_factory=list)
    #: (progress as JSON, run_id, enqueued_at) of runs that only said something.
    progress: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    #: (run_id, enqueued_at, worker, at, error type, error) of executions that were broken off and began in an
    #: earlier batch.
    lost: list[tuple[str, int, str, int, str, str]] = field(default_factory=list)
    #: (disposition, reason, schedule_id, due_at, run_id, enqueued_at) of slots whose run was turned away.
    turned_away: list[tuple[str, str, int, int, str, int]] = field(default_factory=list)
    #: (source, jobs) as workers declared them.
    declarations: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    #: (breaker, at, from, to, cause, job, run_id) of changes of breakers.
    breaker_changes: list[tuple[str, int, str, str, str | None, str | None, str | None]] = field(
        default_factory=list
    )
    #: What the end of a run adds to the rollups, by run id.
    ends: dict[str, Counts] = field(default_factory=dict)
    #: What an attempt that is followed by another adds, by execution id.
    retries: dict[str, Counts] = field(default_factory=dict)
    #: The queue of each job that occurs.
    jobs: dict[str, str] = field(default_factory=dict)

    def add(self, event: dict[str, Any]) -> None:
        """Add one event. An unknown kind is left out: a newer worker may know more than this recorder.

        Raises:
            LookupError, TypeError, ValueError: it is no proper event.
        """
        if not isinstance(event, dict):
            raise TypeError("An event must be an object.")
        match event.get("k"):
            case "run":
                self._add_run(event)
            case "note":
                run_id, at = run_id_of(event), event["at"]
                if event.get("prg") is not None:
                    self.progress[run_id] = (orjson.dumps(event["prg"]).decode(), run_id, at)
                self._add_logs(run_id, event)
            case "lost":
                self._add_lost(event)
            case "breaker":
                run = run_id_of({"id": event["run"]}) if event.get("run") else None
                self.breaker_changes.append(
                    (
                        event["name"],
                        event["at"],
                        event["from"],
                        event["to"],
                        event.get("cause"),
                        event.get("job"),
                        run,
                    )
                )
            case "jobs":
                self.declarations.append((event["source"], event["jobs"]))

    def _add_run(self, event: dict[str, Any]) -> None:
        get = event.get
        run_id, at, state, attempt, queue = run_id_of(event), event["at"], event["s"], event["n"], event["q"]
        job = event["job"]
        if len(job) > JOB_NAME:
            job = job[:JOB_NAME]
        self.jobs[job] = queue
        started, finished, ready, duration = get("sta"), get("fin"), get("rdy"), get("ms")
        wait = None if started is None or attempt > 1 else max(0, started - (ready or at))
        error = get("err") or _NO_ERROR
        schedule, due, reason = get("sch"), get("due"), get("why")
        mark = _fingerprint(error, reason, state) if error[0] or state in _BROKEN else None
        reached = attempt + 1 if state == RunState.PENDING else attempt
        trigger = get("trg")
        held = held_of(get("hld")) or None
        progress = None if state == RunState.PENDING else _json(get("prg"))
        row = [
            run_id, at, job, queue, state, rank(state, reached), reached, get("m"),
            trigger if trigger in TRIGGERS else "code", schedule, due, ready, get("fet"),
            started if attempt == 1 else None, started, finished if state in FINAL else None, wait, duration,
            get("x"), get("w"), *error, _json(get("args")), _json(get("kw")), _json(get("res")),
            progress, reason, get("by"), get("rat"), get("lim"), mark, get("dl"), _json(get("flw")),
            _json(held),
        ]  # fmt: skip
        before = self.runs.get(run_id)
        merged = self.runs[run_id] = row if before is None else _merged(before, row)
        if "logs" in event:
            self._add_logs(run_id, event)
        if state == RunState.PROCESSING:
            return
        if started is not None and (state != RunState.SUCCEEDED or attempt > 1):
            shown = RunState.FAILED if state == RunState.PENDING else state
            self.attempts.append(
                (
                    run_id,
                    at,
                    attempt,
                    event["x"],
                    shown,
                    started,
                    finished,
                    duration,
                    get("w"),
                    *error,
                    reason,
                    mark,
                )
            )
        parts = _parts(wait, at, due, ready, get("fet"), started)
        counts = Counts(
            job, queue, state, attempt, started, finished or at, duration, wait, *parts, held or {}
        )
        if state == RunState.PENDING:
            self.retries[event["x"]] = counts
        elif merged is row:
            self.ends[run_id] = counts
        if schedule is not None and due is not None and started is None and attempt == 1 and state in FINAL:
            self.turned_away.append(
                (disposition(state, reason or ""), reason or state, schedule, due, run_id, at)
            )

    def _add_lost(self, event: dict[str, Any]) -> None:
        run_id, at, worker, lost_at = run_id_of(event), event["at"], event["w"], event["fin"]
        kind, text = event["err"]
        row = self.runs.get(run_id)
        if "logs" in event:
            self._add_logs(run_id, event)
        if row is None:
            self.lost.append((run_id, at, worker, lost_at, kind, text))
        elif row[_STATE] == RunState.PROCESSING and row[_WORKER] == worker:
            row[_REASON] = text + GOES_AGAIN
            self.attempts.append(
                (
                    run_id,
                    at,
                    row[_ATTEMPT],
                    row[_EXECUTION],
                    RunState.FAILED,
                    row[_ATTEMPT_STARTED],
                    lost_at,
                    None,
                    worker,
                    kind,
                    text,
                    None,
                    None,
                    None,
                )
            )

    def _add_logs(self, run_id: str, event: dict[str, Any]) -> None:
        enqueued_at, attempt = event["at"], event["n"]
        for number, (at, level, text) in enumerate(event.get("logs", ()), start=event.get("seq", 0)):
            self.log_lines.append((run_id, enqueued_at, attempt, number, at, level, text))


def _parts(
    wait: int | None, at: int, due: int | None, ready: int | None, fetched: int | None, started: int | None
) -> tuple[int, int, int]:
    """What a run waited for: the scheduler's lag, its delay, and in a worker's hand (ms); see `Counts`."""
    if wait is None or started is None:
        return 0, 0, 0
    lag = 0 if due is None else max(0, at - due)
    delay = 0 if ready is None else max(0, ready - at)
    return lag, delay, 0 if fetched is None else min(wait, max(0, started - fetched))


def disposition(state: str, reason: str) -> str:
    """What became of the slot of a run that never started."""
    kind = reason.partition(":")[0]
    if state == RunState.SKIPPED and kind == "stale":
        return "missed"
    if state == RunState.SKIPPED and kind in ("overlap", "disabled", "paused", "breaker"):
        return f"skipped_{kind}"
    return "cancelled"


def _fingerprint(error: Any, reason: str | None, state: str) -> str:
    kind, message, trace = error
    return fingerprint(kind or state, trace, message or reason)


def run_id_of(event: dict[str, Any]) -> str:
    """The run's id. A message id that is no UUID is given one that follows from it."""
    run_id: str = event["id"]
    if _UUID.fullmatch(run_id) is None:
        return str(uuid.uuid5(_FOREIGN_IDS, run_id))
    return run_id


def _json(value: Any) -> str | None:
    if value is None:
        return None
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return orjson.dumps(plain(value)).decode()


def _merged(before: list[Any], after: list[Any]) -> list[Any]:
    """The further of two rows of one run, with what only the other knows. A final state is never replaced."""
    if after[_RANK] < before[_RANK] or (after[_RANK] == before[_RANK] and before[_STATE] in FINAL):
        before, after = after, before
    for column in _KEPT:
        if after[column] is None:
            after[column] = before[column]
    if before[_STARTED] is not None:
        after[_STARTED] = min(before[_STARTED], after[_STARTED] or before[_STARTED])
    if after[_TRIGGER] == "code":
        after[_TRIGGER] = before[_TRIGGER]
    if after[_PROGRESS] is None and after[_ATTEMPT] == before[_ATTEMPT]:
        after[_PROGRESS] = before[_PROGRESS]
    return after
