"""Schedules: what they say, and how to change it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from callboard.api.models.base import Body, RequestBody, example
from callboard.control.reads.schedules import Schedule

Misfire = Literal["skip", "run_once", "run_all"]
Expr = Annotated[str, Field(max_length=1_000, description="Five fields, six with seconds, or @daily.")]
ZoneName = Annotated[str, Field(max_length=100, description="An IANA time zone.")]
Name = Annotated[str, Field(max_length=1_000)]

SCHEDULE = {
    "id": 7,
    "job": "health-check",
    "key": "code:1",
    "expr": "*/10 * * * *",
    "tz": "Europe/Paris",
    "words": "Every 10 minutes (Europe/Paris)",
    "enabled": True,
    "jobEnabled": True,
    "origin": "code",
    "retired": False,
    "edited": True,
    "nextAt": "2026-01-24T10:10:00Z",
    "args": [],
    "kwargs": {},
    "misfire": "run_once",
    "misfireLimit": 100,
    "graceMs": 60_000,
    "declared": {"expr": "*/5 * * * *", "tz": "Europe/Paris"},
    "createdAt": "2026-01-01T00:00:00Z",
    "changedAt": "2026-01-24T10:00:03.141592Z",
    "changedBy": "otto",
    "last": {
        "dueAt": "2026-01-24T10:00:00Z",
        "disposition": "fired",
        "reason": "on time",
        "runId": "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d",
    },
}


class LastSlotBody(Body):
    """The last slot that was decided."""

    due_at: datetime
    disposition: str
    reason: str | None
    run_id: UUID | None


class ScheduleBody(Body):
    """A schedule.

    `enabled` is its own switch, `jobEnabled` its job's; `nextAt` is null where its own is off. `declared` is
    what the code says, null where an operator made it, and `edited` whether it says something else.
    """

    model_config = example(SCHEDULE)

    id: int
    job: str
    key: str
    expr: str
    tz: str
    words: str
    enabled: bool
    job_enabled: bool
    origin: Literal["code", "operator"]
    retired: bool
    edited: bool
    next_at: datetime | None
    args: list[Any]
    kwargs: dict[str, Any]
    misfire: Misfire
    misfire_limit: int
    grace_ms: int
    declared: dict[str, Any] | None
    created_at: datetime
    changed_at: datetime
    changed_by: str | None
    last: LastSlotBody | None

    @classmethod
    def of(cls, found: Schedule) -> "ScheduleBody":
        """The body for a schedule."""
        values = {name: getattr(found, name) for name in cls.model_fields if name != "last"}
        last = found.last
        of_last = None
        if last is not None:
            of_last = LastSlotBody(**{name: getattr(last, name) for name in LastSlotBody.model_fields})
        return cls(last=of_last, **values)


class ScheduleList(Body):
    """Schedules, by job and key."""

    schedules: list[ScheduleBody]


class NewSchedule(RequestBody):
    """A schedule to be made. Without a `key`, which names it within its job, it is given one."""

    model_config = example(
        {
            "job": "health-check",
            "key": "mornings",
            "expr": "0 8 * * 1-5",
            "tz": "Europe/Paris",
            "kwargs": {},
            "misfire": "run_once",
        }
    )

    job: Name
    expr: Expr
    key: Name | None = None
    tz: ZoneName = "UTC"
    args: Annotated[list[Any], Field(default_factory=list)]
    kwargs: Annotated[dict[str, Any], Field(default_factory=dict)]
    enabled: bool = True
    misfire: Misfire = "run_once"
    misfire_limit: StrictInt = 100
    grace_ms: StrictInt = 60_000


class ScheduleChanges(RequestBody):
    """What to change of a schedule; what is left out, or null, stays as it is."""

    model_config = example({"expr": "*/10 * * * *", "tz": "Europe/Paris"})

    expr: Expr | None = None
    tz: ZoneName | None = None
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None
    enabled: StrictBool | None = None
    misfire: Misfire | None = None
    misfire_limit: StrictInt | None = None
    grace_ms: StrictInt | None = None
