"""Ask a worker where a run is: the Python stack of the thread, or the process, that executes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID, uuid4

import orjson

from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.control.reads.runs import as_run_id
from callboard.core.clock import from_ms
from callboard.core.errors import Conflict, NotFound
from callboard.core.states import FINAL
from callboard.storage.queries import runs as queries

#: Seconds to wait for the worker.
PATIENCE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One call: the file, the line, and the name of the function."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class Stack:
    """Where a run was at a moment, the outermost call first; `note` says why where there is no call.

    `pid` and `thread` are the worker's; `isolated` where the job runs in a process beside it.
    """

    run_id: UUID
    job: str
    attempt: int
    worker: str
    host: str
    pid: int
    thread: str | None
    isolated: bool
    started_at: datetime | None
    at: datetime
    frames: tuple[Frame, ...]
    note: str | None

    @property
    def text(self) -> str:
        """The calls as a traceback has them, the innermost last."""
        return "\n".join(f'File "{each.file}", line {each.line}, in {each.function}' for each in self.frames)


def stack(context: Context, principal: Principal, run_id: UUID | str) -> Stack:
    """Where a run is just now. It tells files, lines and functions, and no values.

    Raises:
        NotAllowed: the role does not include `workers:inspect`.
        NotFound: no run has that id.
        Conflict: nothing executes it, or its worker does not answer.
        Unavailable: Redis does not answer.
        BadInput: the id is not a UUID.
    """
    wanted = as_run_id(run_id)
    with context.read() as connection:
        row = queries.run(connection, wanted)
    with audited(
        context,
        principal,
        permission="workers:inspect",
        action="inspect_run",
        target=str(wanted),
        job=None if row is None else row["job"],
    ) as entry:
        if row is None:
            raise NotFound(f"There is no run {wanted}; it may be older than what is kept.")
        answer = None if row["state"] in FINAL else _ask(context, wanted)
        if answer is None:
            raise Conflict(_why_not(wanted, row["state"]))
        entry.after = {"worker": answer["worker"], "frames": len(answer["frames"])}
    return Stack(
        run_id=wanted,
        job=answer["job"],
        attempt=answer["attempt"],
        worker=answer["worker"],
        host=answer["host"],
        pid=answer["pid"],
        thread=answer["thread"],
        isolated=answer["isolated"],
        started_at=None if answer["started_at"] is None else from_ms(answer["started_at"]),
        at=from_ms(answer["at"]),
        frames=tuple(Frame(*each) for each in answer["frames"]),
        note=answer["note"],
    )


def _ask(context: Context, run_id: UUID) -> dict[str, Any] | None:
    """Ask all workers: the one that executes the run answers."""
    redis, ask = cast(Any, context.redis), uuid4().hex
    key = context.keys.stack(ask)
    with reaching_redis():
        if redis.publish(context.keys.signals, f"stack {run_id} {ask}") == 0:
            return None
        answer = redis.blpop([key], timeout=PATIENCE_S)
    return None if answer is None else cast("dict[str, Any]", orjson.loads(answer[1]))


def _why_not(run_id: UUID, state: str) -> str:
    if state == "pending":
        return f"The run {run_id} is not being executed: it waits."
    if state in FINAL:
        return f"The run {run_id} is not being executed: it has ended."
    return (
        f"No worker has answered within {PATIENCE_S:g} s that it executes the run {run_id}: it has just"
        " ended, its worker has died, or its job holds the interpreter's lock."
    )
