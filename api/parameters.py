"""Parameters that several routes share."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Path, Query

from callboard.control.reads.spans import Span

JobName = Annotated[
    str, Path(description="The job's name.", min_length=1, max_length=1_000, examples=["health-check"])
]
QueueName = Annotated[
    str, Path(description="The queue's name.", min_length=1, max_length=1_000, examples=["default"])
]
RunId = Annotated[UUID, Path(description="The run's id.", examples=["0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"])]
ScheduleId = Annotated[int, Path(description="The schedule's id.", examples=[7])]

Window = Annotated[Span, Query(description="The span of the points.")]
Limit = Annotated[int, Query(ge=1, le=1_000, description="The most to return.")]
Cursor = Annotated[
    str | None,
    Query(max_length=200, description="`nextCursor` of the page before; without it, the first page."),
]

#: The longest idempotency key, in characters.
MAX_KEY = 200
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=MAX_KEY,
        description="Within a day, a request with the same key is done once, and answered the same.",
    ),
]
