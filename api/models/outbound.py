"""Outbound messages: what a run of their runner answers, and what is queued."""

from typing import Annotated, Any

from pydantic import Field

from callboard.api.models.base import Body, example
from callboard.control.reads.outbound import OutboundQueue


class OutboundIds(Body):
    """The ids of messages, of each kind at most a thousand."""

    processed: list[int] = Field(default_factory=list)
    failed: list[int] = Field(default_factory=list)


class OutboundResult(Body):
    """What a run of the outbound runner has come to."""

    model_config = example({"ok": True, "processed": 2, "failed": 0})

    ok: bool = True
    processed: Annotated[int, Field(description="Sent.")] = 0
    failed: Annotated[int, Field(description="Failed for good.")] = 0
    requeued: Annotated[
        int | None, Field(description="Queued for a later attempt; left out where there is none.")
    ] = None
    uncertain: Annotated[
        int | None, Field(description="May have gone out or not; left out where there is none.")
    ] = None
    note: Annotated[str | None, Field(description="Why there may be more to it.")] = None
    error: Annotated[str | None, Field(description="Why the run failed.")] = None


class OutboundRun(OutboundResult):
    """What a run of the outbound runner has come to, with the messages."""

    model_config = example(
        {"ok": True, "processed": 2, "failed": 0, "jobIds": {"processed": [17, 18], "failed": []}}
    )

    job_ids: OutboundIds = Field(default_factory=OutboundIds)

    @classmethod
    def of(cls, result: Any) -> "OutboundRun":
        """The body for the result of a run."""
        said = result if isinstance(result, dict) else {}
        ids = said.get("ids") if isinstance(said.get("ids"), dict) else {}
        return cls(
            processed=said.get("processed", 0),
            failed=said.get("failed", 0),
            requeued=said.get("requeued") or None,
            uncertain=said.get("uncertain") or None,
            job_ids=OutboundIds.model_validate(ids),
        )


class OutboundTriggered(Body):
    """What the cron address of the outbound runner answers."""

    model_config = example(
        {
            "ok": True,
            "message": "Job runner triggered",
            "jobRunnerResult": {"ok": True, "processed": 0, "failed": 0},
        }
    )

    ok: bool
    message: str
    job_runner_result: OutboundResult


class OutboundQueueBody(Body):
    """The queue of outbound messages."""

    model_config = example(
        {
            "queued": 12,
            "due": 2,
            "oldestDueSeconds": 4.2,
            "running": 0,
            "doneLastHour": 310,
            "failedLastDay": 1,
            "uncertain": 0,
        }
    )

    queued: int
    due: Annotated[int, Field(description="Those of the queued ones that could go out now.")]
    oldest_due_seconds: Annotated[
        float | None, Field(description="For how long the first of them has been due.")
    ]
    running: int
    done_last_hour: int
    failed_last_day: int
    uncertain: Annotated[
        int, Field(description="May have gone out or not; not sent again until somebody says so.")
    ]

    @classmethod
    def of(cls, queue: OutboundQueue) -> "OutboundQueueBody":
        """The body for the queue."""
        return cls(
            queued=queue.queued,
            due=queue.due,
            oldest_due_seconds=queue.oldest_due_s,
            running=queue.running,
            done_last_hour=queue.done_last_hour,
            failed_last_day=queue.failed_last_day,
            uncertain=queue.uncertain,
        )
