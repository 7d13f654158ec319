"""Where a page of a list ends, as text: the moment and the id of its last row.

What is added to a list of the latest first while its pages are read comes on none of those that follow.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from callboard.core.errors import BadInput
from callboard.core.moments import sensible

#: The largest id that PostgreSQL's bigint holds.
MAX_ID = 2**63 - 1

Row = TypeVar("Row")
Key = TypeVar("Key", int, UUID)


def cut_page(
    rows: Sequence[Row], limit: int, place: Callable[[Row], tuple[datetime, object]]
) -> tuple[tuple[Row, ...], str | None]:
    """The first `limit` rows, and the cursor of the next page if there are more.

    Args:
        rows: one more than `limit` where there are so many.
        place: the moment and the id that a row is sorted by.
    """
    page = tuple(rows[:limit])
    if len(rows) <= limit:
        return page, None
    at, key = place(page[-1])
    return page, f"{at.isoformat()}_{key}"


def read_cursor(cursor: str | None, kind: type[Key]) -> tuple[datetime, Key] | None:
    """The moment (UTC) and the id of a cursor, ids being of that type; None where there is none.

    Raises:
        BadInput: no page has that cursor.
    """
    if cursor is None:
        return None
    at, _, key = cursor.partition("_")
    try:
        moment, found = sensible(datetime.fromisoformat(at)), kind(key)
        if isinstance(found, int) and not 0 <= found <= MAX_ID:
            raise ValueError
    except ValueError:
        raise BadInput(f"There is no page {cursor[:80]!r}; pass on the cursor as it came.") from None
    return moment, found
