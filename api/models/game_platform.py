"""Asking for the game platform's jobs, and setting the queue's workers going."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from callboard.api.models.base import Body, RequestBody, example
from callboard.api.models.runs import RUN_ID
from callboard.control.actions.kick import Kicked
from callboard.control.actions.run_job import Requested
from callboard.core.display import many

COACH = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
#: The largest batch that may be asked for.
MAX_BATCH = 1_000


class SyncRequest(RequestBody):
    """What to synchronise, and whether to write it."""

    model_config = example({"dryRun": False, "coachId": None})

    dry_run: Annotated[
        StrictBool, Field(description="Change nothing; the run's result lists what would change.")
    ] = False
    coach_id: Annotated[
        UUID | None, Field(description="Only this coach's competitors; null: everybody's.")
    ] = None


class SweepRequest(SyncRequest):
    """Whose totals to refresh, and how many at a time."""

    model_config = example({"dryRun": False, "coachId": None, "batchSize": 100})

    batch_size: Annotated[
        StrictInt, Field(ge=1, le=MAX_BATCH, description="How many competitors each batch has.")
    ] = 100


class Triggered(Body):
    """A run that was asked for. `status` is `pending`, also where Redis is away and the run is kept."""

    model_config = example(
        {
            "success": True,
            "jobId": RUN_ID,
            "taskType": "game_platform_sync",
            "status": "pending",
            "dryRun": False,
            "coachId": COACH,
            "message": "game_platform_sync has been queued",
        }
    )

    success: bool = True
    job_id: UUID
    task_type: str
    status: str = "pending"
    dry_run: bool
    coach_id: UUID | None
    message: str

    @classmethod
    def of(cls, requested: Requested, asked: SyncRequest) -> "Triggered":
        """The body for a run."""
        later = "" if requested.state == "sent" else "; Redis does not answer, so it runs as soon as it does"
        return cls(
            job_id=requested.run_id,
            task_type=requested.job,
            dry_run=asked.dry_run,
            coach_id=asked.coach_id,
            message=f"{requested.job} has been queued{later}",
        )


class KickedBody(Body):
    """What was set going: `sent` of the outbox; and what waits, runs, is due later or is held back now."""

    model_config = example(
        {
            "success": True,
            "message": "3 messages were sent; 3 runs wait for 1 worker",
            "sent": 3,
            "waiting": 3,
            "running": 0,
            "delayed": 0,
            "parked": 0,
            "workers": 1,
            "paused": None,
        }
    )

    success: bool = True
    message: str
    sent: int
    waiting: int
    running: int
    delayed: int
    parked: int
    workers: int
    paused: Annotated[str | None, Field(description="Why nothing runs, where everything is paused.")]

    @classmethod
    def of(cls, kicked: Kicked) -> "KickedBody":
        """The body for what was done."""
        done = f"{many(kicked.sent, 'message')} {'was' if kicked.sent == 1 else 'were'} sent"
        waits = f"{many(kicked.waiting, 'run')} {'waits' if kicked.waiting == 1 else 'wait'}"
        held = f"; everything is paused: {kicked.paused}" if kicked.paused is not None else ""
        return cls(
            message=f"{done}; {waits} for {many(kicked.workers, 'worker')}{held}",
            sent=kicked.sent,
            waiting=kicked.waiting,
            running=kicked.running,
            delayed=kicked.delayed,
            parked=kicked.parked,
            workers=kicked.workers,
            paused=kicked.paused,
        )
