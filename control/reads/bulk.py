"""Actions on many dead letters, or on many runs: how far they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from callboard.control.context import Context
from callboard.control.reads.runs import MAX_HISTORY, check_range
from callboard.core.cursors import cut_page, read_cursor
from callboard.core.errors import NotFound
from callboard.storage.queries import Row
from callboard.storage.queries import bulk as queries

#: What an action is about.
About = Literal["dead letters", "runs"]
#: What can be done with many of them at once.
KINDS: Final[Mapping[About, tuple[str, ...]]] = {
    "dead letters": ("requeue", "drop"),
    "runs": ("retry", "cancel"),
}


@dataclass(frozen=True, slots=True)
class BulkAction:
    """An action on many dead letters or runs. With those that `failed` it could not be done; they stay.

    What no longer fitted when its turn came is in neither number.
    """

    id: UUID
    what: str
    filter: Mapping[str, Any]
    requested_by: str
    run_id: UUID | None
    created_at: datetime
    finished_at: datetime | None
    state: str
    total: int
    done: int
    failed: int
    last_error: str | None
    abort: bool

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in ("done", "aborted")


def bulk_action(context: Context, about: About, action_id: UUID) -> BulkAction:
    """How far an action on many is.

    Raises:
        NotFound: there is none of that id.
    """
    with context.read() as connection:
        row = queries.action(connection, KINDS[about], action_id)
    if row is None:
        raise unknown_action(about, action_id)
    return as_action(row)


def bulk_actions(
    context: Context, about: About, *, limit: int = 20, cursor: str | None = None
) -> tuple[tuple[BulkAction, ...], str | None]:
    """A page of actions on many, the latest first, and the cursor of the next one.

    Raises:
        BadInput: the limit is not 1 to 1000, or no page has that cursor.
    """
    check_range("limit", limit, MAX_HISTORY)
    after = read_cursor(cursor, UUID)
    with context.read() as connection:
        rows = queries.actions(connection, KINDS[about], limit=limit + 1, after=after)
    found = [as_action(row) for row in rows]
    return cut_page(found, limit, lambda action: (action.created_at, action.id))


def unknown_action(about: About, action_id: UUID) -> NotFound:
    """The error for an id that no action has."""
    return NotFound(f"There is no action {action_id} on {about}.")


def as_action(row: Row) -> BulkAction:
    """The action of a row."""
    return BulkAction(**{name: row[name] for name in BulkAction.__slots__})
