"""What runs log."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from callboard.api.models.base import Body, example
from callboard.control.reads.run_search import LogPage
from callboard.control.reads.runs import LogLine

LOG_LINE = {
    "attempt": 1,
    "seq": 1,
    "at": "2026-01-24T10:00:00.006Z",
    "level": "info",
    "message": "12 services to look at",
}


class LogBody(Body):
    """One line that a run logged."""

    model_config = example(LOG_LINE)

    attempt: int
    seq: int
    at: datetime
    level: str
    message: str

    @classmethod
    def of(cls, line: LogLine) -> "LogBody":
        """The body for a line."""
        return cls(attempt=line.attempt, seq=line.seq, at=line.at, level=line.level, message=line.message)


class LogPageBody(Body):
    """Lines of a run's log. Pass `after` on to see what follows, until it has `ended` and there is no `more`.

    `state` is that of the run.
    """

    lines: list[LogBody]
    after: Annotated[str, Field(examples=["1.1"])]
    more: bool
    ended: bool
    state: Annotated[str, Field(examples=["processing"])]

    @classmethod
    def of(cls, page: LogPage) -> "LogPageBody":
        """The body for a page."""
        return cls(
            lines=[LogBody.of(each) for each in page.lines],
            after=page.after,
            more=page.more,
            ended=page.ended,
            state=page.state,
        )
