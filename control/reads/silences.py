"""Windows of time in which nobody is told of some alerts."""

from dataclasses import dataclass
from datetime import datetime

from callboard.control.context import Context
from callboard.core.cursors import cut_page, read_cursor
from callboard.storage.queries import Row
from callboard.storage.queries import silences as queries


@dataclass(frozen=True, slots=True)
class Silence:
    """One window. `kind` None is every kind; `subject` None every subject, and `*` within it anything."""

    id: int
    kind: str | None
    subject: str | None
    from_at: datetime
    until_at: datetime
    reason: str
    created_by: str
    created_at: datetime
    ended_by: str | None = None

    def __str__(self) -> str:
        if self.kind is None and self.subject is None:
            return "everything"
        what = "alerts" if self.kind is None else f"alerts of the kind {self.kind}"
        return what if self.subject is None else f"{what} about {self.subject}"


def silences(
    context: Context, *, open_only: bool = True, limit: int = 100, cursor: str | None = None
) -> tuple[tuple[Silence, ...], str | None]:
    """A page of the silences that are not over, or of all, the latest first, and the cursor of the next one.

    Raises:
        BadInput: no page has that cursor.
        Unavailable: PostgreSQL does not answer.
    """
    after = read_cursor(cursor, int)
    with context.read() as connection:
        rows = queries.latest(connection, open_only=open_only, limit=limit + 1, after=after)
    return cut_page([as_silence(row) for row in rows], limit, lambda each: (each.created_at, each.id))


def as_silence(row: Row) -> Silence:
    """A silence from its row."""
    return Silence(**row)
