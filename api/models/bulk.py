"""Actions on many dead letters, or on many runs."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from callboard.api.models.base import Body, RequestBody, example
from callboard.api.models.runs import RUN_ID
from callboard.control.actions.bulk import Started
from callboard.control.actions.bulk_runs import Dealt
from callboard.control.reads.bulk import BulkAction
from callboard.control.reads.run_search import MAX_HOURS, Wanted

_ACTION = {
    "id": "9c5f1f0e-7f43-4c3b-9d0f-6a1d7a0c1b11",
    "what": "requeue",
    "filter": {"job": "send-mail"},
    "requestedBy": "otto",
    "runId": RUN_ID,
    "createdAt": "2026-01-24T10:00:00Z",
    "finishedAt": None,
    "state": "running",
    "total": 10_000,
    "done": 2_500,
    "failed": 0,
    "lastError": None,
    "abort": False,
}


class BulkBody(Body):
    """How far an action on many is. With those that `failed` it could not be done; they stay.

    What no longer fitted when its turn came is in neither number.
    """

    model_config = example(_ACTION)

    id: UUID
    what: Literal["requeue", "drop", "retry", "cancel"]
    filter: dict[str, Any]
    requested_by: str
    run_id: UUID | None
    created_at: datetime
    finished_at: datetime | None
    state: Literal["queued", "running", "done", "aborted"]
    total: int
    done: int
    failed: int
    last_error: str | None
    abort: bool

    @classmethod
    def of(cls, action: BulkAction) -> "BulkBody":
        """The body for an action."""
        return cls(**{name: getattr(action, name) for name in cls.model_fields})


class BulkStarted(Body):
    """The action; `new` is false where the same one was under way already."""

    model_config = example({"new": True, "action": _ACTION})

    new: bool
    action: BulkBody

    @classmethod
    def of(cls, started: Started) -> "BulkStarted":
        """The body for an action just asked for."""
        return cls(new=started.new, action=BulkBody.of(started.action))


class BulkPage(Body):
    """A page of actions, the latest first; `nextCursor` is null on the last one."""

    actions: list[BulkBody]
    next_cursor: str | None


class RunBulkRequest(RequestBody):
    """What to do with all runs that fit a search, in words as of `/api/runs`; without words all fit."""

    model_config = example({"what": "retry", "search": "state:failed job:sync since:2h"})

    what: Literal["retry", "cancel"]
    search: Annotated[str, Field(max_length=2_000)]
    hours: Annotated[
        float,
        Field(gt=0, le=MAX_HOURS, description="Without `since`, only those sent within so many hours."),
    ] = 24
    reason: Annotated[str | None, Field(max_length=500, description="Kept with what is cancelled.")] = None

    def wanted(self) -> Wanted:
        """The search as control takes it."""
        return Wanted(self.search, self.hours)


class SomeRuns(RequestBody):
    """Some runs, by their ids."""

    model_config = example({"runIds": [RUN_ID]})

    run_ids: Annotated[list[UUID], Field(min_length=1, max_length=100)]


class SomeRunsToCancel(SomeRuns):
    """Some runs, and why they are cancelled."""

    model_config = example({"runIds": [RUN_ID], "reason": "sent by mistake"})

    reason: Annotated[str | None, Field(max_length=500)] = None


class RunsDealt(Body):
    """What became of some runs. `failed` says, by run, why it could not be done.

    `runs` are what those in `done` have become: of a retry a new run, or the same one, brought forward; of a
    cancellation nothing.
    """

    model_config = example({"done": [RUN_ID], "runs": [RUN_ID], "failed": {}})

    done: list[UUID]
    runs: list[UUID]
    failed: dict[str, str]

    @classmethod
    def of(cls, dealt: Dealt) -> "RunsDealt":
        """The body for what was done."""
        return cls(done=dealt.done, runs=dealt.runs, failed=dealt.failed)
