"""The ledger: what became of each slot."""

from datetime import datetime
from uuid import UUID

from callboard.api.models.base import Body, example
from callboard.control.reads.ledger import Occurrence
from callboard.control.reads.why import Why

_SLOT = {
    "scheduleId": 7,
    "job": "health-check",
    "key": "code:1",
    "expr": "0 8 * * *",
    "tz": "Europe/Paris",
    "dueAt": "2026-01-24T07:00:00Z",
    "disposition": "skipped_disabled",
    "reason": "the job is switched off",
    "runId": None,
    "runState": None,
    "runReason": None,
    "decidedAt": "2026-01-24T07:00:00.004Z",
}


class SlotBody(Body):
    """A slot and what became of it.

    `disposition` is `undecided` where it has passed and no scheduler has decided it. `runReason` is the run's
    error, or why it was skipped or ended; `key`, `expr` and `tz` are null where the schedule is gone.
    """

    schedule_id: int
    job: str
    key: str | None
    expr: str | None
    tz: str | None
    due_at: datetime
    disposition: str
    reason: str | None
    run_id: UUID | None
    run_state: str | None
    run_reason: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, slot: Occurrence) -> "SlotBody":
        """The body for a slot."""
        return cls(**{name: getattr(slot, name) for name in cls.model_fields})


class SlotPage(Body):
    """A page of slots; `nextCursor` is null on the last one."""

    model_config = example({"slots": [_SLOT], "nextCursor": "2026-01-24T07:00:00+00:00_7"})

    slots: list[SlotBody]
    next_cursor: str | None


class WhyBody(Body):
    """Why a job ran at a time, or did not: one sentence or two, and the slots that they speak of."""

    model_config = example(
        {
            "job": "health-check",
            "at": "2026-01-24T07:00:00Z",
            "tz": "Europe/Paris",
            "answer": "The slot of 08:00 (Europe/Paris) did not run: skipped_disabled, since alice switched"
            " the job off at 07:12: 'maintenance'.",
            "slots": [_SLOT],
        }
    )

    job: str
    at: datetime
    tz: str
    answer: str
    slots: list[SlotBody]

    @classmethod
    def of(cls, found: Why) -> "WhyBody":
        """The body for an answer."""
        slots = [SlotBody.of(each) for each in found.slots]
        return cls(job=found.job, at=found.at, tz=found.tz, answer=str(found), slots=slots)
