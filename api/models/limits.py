"""Limits."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from callboard.api.models.base import Body, example
from callboard.api.models.runs import RUN_ID
from callboard.control.actions.limits import LimitReset
from callboard.control.reads.limits import Limit


class LimitBody(Body):
    """One key of a limit: its bounds, and how it stands."""

    model_config = example(
        {
            "key": "tenant:7",
            "concurrent": 4,
            "perMinute": 600,
            "jobs": ["sync-tenant"],
            "running": 4,
            "begun": 37,
            "waiting": 12,
            "holders": [RUN_ID],
        }
    )

    key: str
    concurrent: Annotated[int | None, Field(description="How many may run at a time; null: any number.")]
    per_minute: Annotated[int | None, Field(description="How many may begin in a minute; null: any number.")]
    jobs: Annotated[list[str], Field(description="The jobs that name it.")]
    running: int
    begun: Annotated[int, Field(description="How many have begun within the last minute.")]
    waiting: Annotated[int, Field(description="How many are parked until it is free.")]
    holders: Annotated[list[UUID], Field(description="The runs that hold it, a hundred at most.")]

    @classmethod
    def of(cls, limit: Limit) -> "LimitBody":
        """The body for a limit."""
        return cls(**{name: getattr(limit, name) for name in cls.model_fields})


class LimitList(Body):
    """Limits, those that runs wait for first."""

    limits: list[LimitBody]


class LimitResetBody(Body):
    """A limit whose minute begins anew, and how many runs it had counted."""

    model_config = example({"key": "tenant:7", "begun": 600})

    key: str
    begun: int

    @classmethod
    def of(cls, done: LimitReset) -> "LimitResetBody":
        """The body for what was done."""
        return cls(key=done.key, begun=done.begun)
