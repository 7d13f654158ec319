"""Why did it run, or not: what became of each slot of a job."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from callboard.control.context import Context
from callboard.control.reads.runs import MAX_HISTORY, check_range
from callboard.storage.queries import ledger as queries


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A slot and its disposition (see `core.states.Disposition`); `expr` is None if its schedule is gone."""

    due_at: datetime
    disposition: str
    reason: str | None
    run_id: UUID | None
    decided_at: datetime
    schedule_id: int
    expr: str | None
    tz: str | None


def ledger(context: Context, job: str, *, limit: int = 100) -> tuple[Occurrence, ...]:
    """A job's latest slots, the latest first.

    Raises:
        BadInput: the limit is not 1 to 1000.
    """
    check_range("limit", limit, MAX_HISTORY)
    with context.read() as connection:
        return tuple(Occurrence(**row) for row in queries.ledger(connection, job, limit=limit))
