"""The fleet, and where a run is."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from callboard.api.models.base import Body, example
from callboard.api.models.runs import RUN_ID
from callboard.control.actions.stacks import Frame, Stack
from callboard.control.reads.fleet import Doing, Fleet, Part, Process
from callboard.core.fleet import Life

_DOING = {"runId": RUN_ID, "job": "send-mail", "attempt": 1, "since": "2026-01-24T10:00:00Z", "lost": False}
_PROCESS = {
    "id": "0196f6a2",
    "part": "worker",
    "host": "stage",
    "pid": 4711,
    "version": "0.1.0",
    "python": "3.13.5",
    "life": "alive",
    "startedAt": "2026-01-24T09:12:00Z",
    "lastSeen": "2026-01-24T10:00:07Z",
    "silenceMs": 1200,
    "memory": 104857600,
    "memoryKind": "pss",
    "queues": ["default", "mail"],
    "threads": 8,
    "busy": 1,
    "stuck": 0,
    "runs": [_DOING],
    "does": None,
    "warnings": [],
}


class DoingBody(Body):
    """A run that a worker executes; `lost` where it goes on although it was ordered to end."""

    model_config = example(_DOING)

    run_id: str
    job: str
    attempt: int
    since: datetime
    lost: bool

    @classmethod
    def of(cls, doing: Doing) -> "DoingBody":
        """The body for a run."""
        return cls(**{name: getattr(doing, name) for name in cls.model_fields})


class ProcessBody(Body):
    """A process of the system. `busy` of a worker's `threads` have a run; `stuck` ones are lost to theirs."""

    model_config = example(_PROCESS)

    id: str
    part: Part
    host: str | None
    pid: int | None
    version: str | None
    python: str | None
    life: Annotated[Life, Field(description="`dead`: what it held goes to others.")]
    started_at: datetime | None
    last_seen: datetime
    silence_ms: int
    memory: Annotated[int | None, Field(description="Bytes.")]
    memory_kind: Annotated[str | None, Field(description="How they are counted: `pss` or `rss`.")]
    queues: list[str]
    threads: int
    busy: int
    stuck: int
    runs: Annotated[list[DoingBody], Field(description="What it executes, as of a few seconds ago.")]
    does: Annotated[str | None, Field(description="What one that is no worker does.")]
    warnings: list[str]

    @classmethod
    def of(cls, process: Process) -> "ProcessBody":
        """The body for a process."""
        fields = {name: getattr(process, name) for name in cls.model_fields if name != "runs"}
        return cls(**fields, runs=[DoingBody.of(each) for each in process.runs])


class FleetBody(Body):
    """All processes, workers first, by the clock of Redis; the sums leave out those that are dead."""

    model_config = example(
        {
            "at": "2026-01-24T10:00:08Z",
            "alive": 1,
            "threads": 8,
            "busy": 1,
            "memory": 104857600,
            "versions": ["0.1.0"],
            "processes": [_PROCESS],
        }
    )

    at: datetime
    alive: int
    threads: int
    busy: int
    memory: int
    versions: Annotated[list[str], Field(description="More than one while an upgrade is under way.")]
    processes: list[ProcessBody]

    @classmethod
    def of(cls, fleet: Fleet) -> "FleetBody":
        """The body for the fleet."""
        names = ("at", "alive", "threads", "busy", "memory")
        return cls(
            **{name: getattr(fleet, name) for name in names},
            versions=list(fleet.versions),
            processes=[ProcessBody.of(each) for each in fleet.processes],
        )


class FrameBody(Body):
    """One call."""

    file: str
    line: int
    function: str

    @classmethod
    def of(cls, frame: Frame) -> "FrameBody":
        """The body for a call."""
        return cls(file=frame.file, line=frame.line, function=frame.function)


class StackBody(Body):
    """Where a run was at a moment: the outermost call first, without any values."""

    model_config = example(
        {
            "runId": RUN_ID,
            "job": "send-mail",
            "attempt": 1,
            "worker": "0196f6a2",
            "host": "stage",
            "pid": 4711,
            "thread": "Thread-9",
            "isolated": False,
            "startedAt": "2026-01-24T10:00:00Z",
            "at": "2026-01-24T10:00:08Z",
            "frames": [{"file": "/app/jobs/mail.py", "line": 41, "function": "send"}],
            "note": None,
        }
    )

    run_id: UUID
    job: str
    attempt: int
    worker: str
    host: str
    pid: Annotated[int, Field(description="The worker's.")]
    thread: Annotated[str | None, Field(description="The worker's thread, or the one that waits for it.")]
    isolated: Annotated[bool, Field(description="Whether the job runs in a process beside the worker.")]
    started_at: datetime | None
    at: datetime
    frames: list[FrameBody]
    note: Annotated[str | None, Field(description="Why there is no call.")]

    @classmethod
    def of(cls, stack: Stack) -> "StackBody":
        """The body for a stack."""
        fields = {name: getattr(stack, name) for name in cls.model_fields if name != "frames"}
        return cls(**fields, frames=[FrameBody.of(each) for each in stack.frames])
