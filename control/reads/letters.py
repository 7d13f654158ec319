"""Dead letters: listed, and grouped by what went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from callboard.control.context import Context
from callboard.control.reads.runs import MAX_HISTORY, check_range
from callboard.core.cursors import cut_page, read_cursor
from callboard.core.errors import BadInput
from callboard.core.limits import storable
from callboard.core.moments import sensible
from callboard.storage.queries import letters as queries

MAX_GROUPS = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters: all that fit whatever is given. `text` is looked for in the error's type and words.

    `since` and `until` are by the end of the run.
    """

    job: str | None = None
    fingerprint: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def values(self) -> dict[str, Any]:
        """What is given, as the database compares it: texts and ISO 8601.

        Raises:
            BadInput: a moment has no time zone, or is out of reach.
        """
        found: dict[str, Any] = {}
        for name in ("job", "fingerprint", "text"):
            if (text := getattr(self, name)) is not None:
                found[name] = storable(text)
        for name in ("since", "until"):
            moment: datetime | None = getattr(self, name)
            if moment is None:
                continue
            if moment.tzinfo is None:
                raise BadInput(f"The moment {name} has no time zone; add one, such as a Z at its end.")
            found[name] = sensible(moment).isoformat()
        return found


@dataclass(frozen=True, slots=True)
class Letter:
    """A run that failed or is dead, and whose message is kept."""

    run_id: UUID
    enqueued_at: datetime
    job: str
    queue: str
    state: str
    attempt: int
    finished_at: datetime
    error_type: str | None
    error: str | None
    reason: str | None
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """The dead letters of one error; `error_type`, `error` and `run_id` are those of the latest."""

    fingerprint: str | None
    letters: int
    jobs: Sequence[str]
    first_at: datetime
    last_at: datetime
    error_type: str | None
    error: str | None
    run_id: UUID


def letters(
    context: Context, wanted: Wanted | None = None, *, limit: int = 100, cursor: str | None = None
) -> tuple[tuple[Letter, ...], str | None]:
    """A page of dead letters, the latest sent first, and the cursor of the next one, if there is one.

    Raises:
        BadInput: the limit is not 1 to 1000, no page has that cursor, or a moment has no time zone.
    """
    check_range("limit", limit, MAX_HISTORY)
    with context.read() as connection:
        rows = queries.letters(
            connection, (wanted or Wanted()).values(), limit=limit + 1, after=read_cursor(cursor, UUID)
        )
    found = [Letter(**row) for row in rows]
    return cut_page(found, limit, lambda letter: (letter.enqueued_at, letter.run_id))


def groups(context: Context, wanted: Wanted | None = None, *, limit: int = 100) -> tuple[Group, ...]:
    """Dead letters by the fingerprint of their error, the most frequent first.

    Raises:
        BadInput: the limit is not 1 to 500, or a moment has no time zone.
    """
    check_range("limit", limit, MAX_GROUPS)
    with context.read() as connection:
        rows = queries.groups(connection, (wanted or Wanted()).values(), limit=limit)
    return tuple(Group(**row) for row in rows)
