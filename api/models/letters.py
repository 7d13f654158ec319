"""Dead letters."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from callboard.api.models.base import Body, Moment, RequestBody, example
from callboard.api.models.runs import RUN_ID
from callboard.control.actions.letters import Dealt
from callboard.control.reads.letters import Group, Letter, Wanted


class LetterBody(Body):
    """A run that failed or is dead, and whose message is kept."""

    run_id: UUID
    job: str
    queue: str
    state: Literal["failed", "dead"]
    attempt: int
    enqueued_at: datetime
    finished_at: datetime
    error_type: str | None
    error: str | None
    reason: str | None
    fingerprint: str | None

    @classmethod
    def of(cls, letter: Letter) -> "LetterBody":
        """The body for a dead letter."""
        return cls(**{name: getattr(letter, name) for name in cls.model_fields})


class LetterPage(Body):
    """A page of dead letters; `nextCursor` is null on the last one."""

    letters: list[LetterBody]
    next_cursor: str | None


class GroupBody(Body):
    """The dead letters of one error; its words and `runId` are those of the latest."""

    fingerprint: str | None
    letters: int
    jobs: list[str]
    first_at: datetime
    last_at: datetime
    error_type: str | None
    error: str | None
    run_id: UUID

    @classmethod
    def of(cls, group: Group) -> "GroupBody":
        """The body for a group."""
        return cls(**{name: getattr(group, name) for name in cls.model_fields})


class GroupList(Body):
    """Groups, the largest first."""

    groups: list[GroupBody]


class Letters(RequestBody):
    """Some dead letters, by their runs."""

    model_config = example({"runIds": [RUN_ID]})

    run_ids: Annotated[list[UUID], Field(min_length=1, max_length=100)]


class Dealing(Body):
    """What became of them: `runs` are the new runs of those in `done`; `failed` says why, by run."""

    model_config = example({"done": [RUN_ID], "runs": [RUN_ID], "failed": {}})

    done: list[UUID]
    runs: list[UUID]
    failed: dict[str, str]

    @classmethod
    def of(cls, dealt: Dealt) -> "Dealing":
        """The body for what was done."""
        return cls(done=dealt.done, runs=dealt.runs, failed=dealt.failed)


class LetterFilter(RequestBody):
    """Which dead letters: all that fit whatever is given; `since` and `until` are by the end of the run."""

    job: Annotated[str | None, Field(max_length=1_000)] = None
    fingerprint: Annotated[str | None, Field(max_length=100)] = None
    text: Annotated[str | None, Field(max_length=1_000)] = None
    since: Moment | None = None
    until: Moment | None = None

    def wanted(self) -> Wanted:
        """The filter as control takes it."""
        return Wanted(self.job, self.fingerprint, self.text, self.since, self.until)


class BulkRequest(RequestBody):
    """What to do with all dead letters of a filter; one that gives nothing means all that there are."""

    model_config = example({"what": "requeue", "filter": {"job": "health-check"}})

    what: Literal["requeue", "drop"]
    filter: LetterFilter
